"""What a fault is, and what happens around each: a load, the fault, healing, and a look at what came of it all."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from tests.driver.client import QUEUES, Answer
from tests.driver.contention import Contention
from tests.driver.load import PER_TENANT, History, load
from tests.driver.lookout import Lookout
from tests.driver.verdict import Verdict, ill_answered, said, verdict

from .pace import Pace, pace
from .service import Service
from .table import Row

TAKEN = frozenset({200, 202})
AWAY = TAKEN | {503}
UNNOTICED_SECONDS = 0.5
QUIET = 0.4  # seconds of load before and after a fault


@dataclass(frozen=True)
class Scene:
    """What a fault may touch: the service, the load that runs, how long to last, and how often to strike."""

    service: Service
    history: History
    pace: Pace
    seconds: float
    prepared: Any = None


@dataclass(frozen=True)
class Fault:
    """Something that breaks. `strike` begins it, lasts for the scene's seconds, and ends it.

    `around` is entered before the load begins and left when all is looked at; what it yields the scene has `prepared`.
    `red_flags` is within how many seconds of its 202 each has to be seen, on processors that other work leaves to it:
    `tests.driver.contention`. Where database or API are `away`, senders may
    be told to come back, and red flags count from when they are back; where it is `crowded`, senders of what is no red
    flag may be told so. Of what is `unnoticed` senders notice nothing: 99 of 100 forms are answered in half a second.
    What is `soak_only` another fault shows as well in seconds: it happens where there is time.
    """

    name: str
    strike: Callable[[Scene], None]
    short: float = 3  # seconds
    stated: float = 15  # where the catalogue says nothing
    red_flags: float = 2
    away: bool = False
    crowded: bool = False
    unnoticed: bool = False
    soak_only: bool = False
    rate: float = 20
    queues: Sequence[str] = field(default=QUEUES)
    around: Callable[[Service], AbstractContextManager[Any]] = nullcontext


def at_this_pace(faults: Sequence[Fault]) -> list[Fault]:
    """Return those of the faults that there is time for."""
    return [fault for fault in faults if pace().minutes is not None or not fault.soak_only]


def endure(service: Service, fault: Fault, chosen: Pace, rows: list[Row]) -> None:
    """Let `fault` happen under load, add its row to the table, and fail if anything is not as promised."""
    service.wait_until_whole()  # whatever became of the fault before
    seconds = chosen.of(fault.short, fault.stated)
    tenants = service.tenants(2 + int(fault.rate * (seconds + 20)) // PER_TENANT)
    history = History(fault.name.replace(" ", "-"), tenants)
    with fault.around(service) as prepared, Lookout(history) as lookout:
        with load(history, rate=fault.rate, queues=fault.queues):
            time.sleep(QUIET)
            fault.strike(Scene(service, history, chosen, seconds, prepared))
            if fault.away:
                service.wait_until_ready()
            healed = time.monotonic()
            time.sleep(QUIET)
        found = verdict(history)
        unseen = lookout.finish(fault.red_flags)
    since = healed if fault.away else 0.0
    rows.append(row(fault.name, history, found, lookout.slowest(since=since)))
    slowest = lookout.slowest_by_itself(since=since)
    if service.mailboxes:
        service.mailboxes.loads[fault.name] = history
    service.wait_until_whole()
    wrong = [
        *found.faults,
        *said("red flags in no urgent worklist", unseen),
        *([f"a red flag waited {slowest:.2f} s"] if slowest > fault.red_flags else []),
        *ill_answered(history, AWAY if fault.away or fault.crowded else TAKEN),
        *(said("red flags sent away", sent_away(history)) if fault.crowded else []),
        *(noticed(history, lookout.contention) if fault.unnoticed else []),
    ]
    assert wrong == [], wrong  # pytest explains the asserts of test files alone


def sent_away(history: History) -> list[str]:
    """Return the keys of the red flags that had to be sent again."""
    return [sent.key for sent in history.sent if sent.red and len(sent.answers) > 1]


def noticed(history: History, contention: Contention) -> list[str]:
    """Say so if more than one form in a hundred was answered late, counted from when it was to be sent."""
    waits = [sent.late / contention.stretch(sent.scheduled, sent.scheduled + sent.late) for sent in history.sent]
    late = [round(wait, 2) for wait in waits if wait > UNNOTICED_SECONDS]
    return said("forms answered late", late) if len(late) > 1 + len(history.sent) / 100 else []


def row(name: str, history: History, found: Verdict, slowest: float) -> Row:
    """Return the line of the table that this load makes."""
    answers = [answer for sent in history.sent for answer in sent.answers]
    turned_away = sum(not isinstance(answer, Answer) or answer.status not in TAKEN for answer in answers)
    post = max(took for sent in history.sent for took in sent.took)
    return Row(name, found.accepted, found.routed, found.lost, found.doubled, slowest, post, turned_away)
