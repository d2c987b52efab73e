"""What only `make soak` has time for: a random schedule of faults, two at once, and a red flag after a long silence."""

import itertools
import random
import threading
import time

import pytest

from tests.cases import case_for
from tests.driver.load import History
from tests.driver.lookout import Lookout
from tests.driver.verdict import verdict

from . import broker, database, hostile, processes, senders
from .fault import Fault, Scene, endure, row
from .mailbox import settled
from .pace import Pace
from .service import Service
from .table import Row

SECONDS = (2, 15)  # how long a fault of the schedule lasts
# While broker and watchman are both away a red flag waits for whichever is back first.
NOT_THE_WATCHMAN = [fault for fault in processes.WORKER_FAULTS if not fault.name.startswith("watchman")]
PAIRS = (  # of faults that do not undo each other
    (broker.FAULTS, database.FAULTS),
    (broker.FAULTS, NOT_THE_WATCHMAN),
    (database.FAULTS, processes.WORKER_FAULTS),
    (broker.FAULTS, senders.FAULTS),
    (processes.WORKER_FAULTS, senders.FAULTS),
    (processes.WORKER_FAULTS, hostile.FAULTS),
)


def at_the_same_time(number: int, one: Fault, other: Fault, seconds: float) -> Fault:
    """Return the fault that both happen at once, the schedule's `number`."""

    def strike(scene: Scene) -> None:
        failed: list[BaseException] = []

        def second() -> None:
            try:
                other.strike(scene)
            except BaseException as error:  # noqa: BLE001 - raised below, in the thread of the test
                failed.append(error)

        thread = threading.Thread(target=second)
        thread.start()
        try:
            one.strike(scene)
        finally:
            thread.join()
        for error in failed:
            raise error

    return Fault(
        f"{number}: {one.name} + {other.name}",
        strike,
        short=seconds,
        red_flags=10,
        away=one.away or other.away,
        rate=max(one.rate, other.rate),
    )


def test_a_random_schedule(service: Service, pace: Pace, rows: list[Row], capsys: pytest.CaptureFixture[str]) -> None:
    """The seed says which faults come, and in which order: SOAK_SEED repeats a schedule."""
    seed = pace.seed
    with capsys.disabled():
        print(f"\nthe schedule's seed: {seed}")  # noqa: T201 - whoever sees it fail needs it
    chance = random.Random(seed)  # noqa: S311 - a schedule, no secret
    end = time.monotonic() + (pace.minutes or 1) * 60
    for number in itertools.count(1):
        if time.monotonic() > end:
            return
        one, other = (chance.choice(group) for group in chance.choice(PAIRS))
        endure(service, at_the_same_time(number, one, other, chance.uniform(*SECONDS)), Pace(None), rows)


def test_a_red_flag_after_a_long_silence(service: Service, pace: Pace, rows: list[Row]) -> None:
    minutes = 2 * (pace.minutes or 0.5)
    service.wait_until_whole()
    time.sleep(minutes * 60)
    history = History("silence", service.tenants(1))
    with Lookout(history) as lookout:
        history.send([case_for("urgent")])
        assert lookout.finish(10) == []
        found = verdict(history)
    rows.append(row(f"{minutes:g} min of silence", history, found, lookout.slowest()))
    assert found.faults == []
    assert lookout.slowest_by_itself() < 2


def test_after_all_of_it_departments_have_everything_and_the_audit_finds_nothing(
    service: Service, pace: Pace, rows: list[Row]
) -> None:
    assert settled(service, pace, rows) == {}
    assert service.audit() == (0, None, [])
