"""Steady load with a history: what was sent under which key, and whether it was taken, refused or left unknown."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

from tests.cases import NEWEST, Case, case_for

from .client import QUEUES, Answer, Client, UnansweredError
from .forms import CANARY, form_of

SENDERS = 64
BATCHES = 2  # requests at once
SETTLING = 60  # seconds from the end of a fault until everything accepted has to be routed
PER_TENANT = 100  # forms of one facility, so that its worklists are one page each


@dataclass(frozen=True)
class Tenant:
    """A facility: who posts for it, and who reads its worklists; `own` where nobody else posts for it."""

    hospital: Client
    department: Client
    own: bool = False


@dataclass
class Sent:
    """One form on its way: the same `key` and body are sent until somebody answers. Times are monotonic seconds."""

    key: str
    case: Case
    tenant: Tenant
    scheduled: float
    outcome: Literal["unknown", "ok", "refused"] = "unknown"
    intake: str | None = None
    answers: list[Answer | UnansweredError] = field(default_factory=list)
    took: list[float] = field(default_factory=list)  # seconds each answer, or its absence, took
    taken_at: float = 0.0
    late: float = 0.0  # seconds from when it was to be sent until the first answer
    events: list[dict[str, Any]] = field(default_factory=list)  # of its referral, when it was last looked at

    @property
    def mrn(self) -> str:
        return f"{CANARY}-{self.key}"

    @property
    def red(self) -> bool:
        return bool(self.case.expected["queue"] == "urgent")

    @property
    def form(self) -> dict[str, Any]:
        return form_of(self.case, self.mrn)

    def send(self) -> None:
        """Send once."""
        began = time.monotonic()
        try:
            answer = self.tenant.hospital.post_intake(self.form, idempotency_key=self.key)
        except UnansweredError as error:
            self.note(error, began)
        else:
            self.note(answer, began)

    def note(self, answer: Answer | UnansweredError, began: float) -> None:
        """Note what came of sending it; a 429, a 5xx or no answer leaves the outcome unknown."""
        now = time.monotonic()
        self.late = self.late or now - self.scheduled
        self.took.append(now - began)
        self.answers.append(answer)
        if isinstance(answer, Answer) and answer.status in (200, 202):
            self.taken_at, self.outcome, self.intake = now, "ok", answer.body["id"]
        elif isinstance(answer, Answer) and answer.status < 500 and answer.status != 429:
            self.outcome = "refused"


@dataclass
class History:
    """Everything one load sent, `name` in every key of it."""

    name: str
    tenants: Sequence[Tenant]
    sent: list[Sent] = field(default_factory=list)
    _adding: threading.Lock = field(default_factory=threading.Lock)

    def add(self, case: Case) -> Sent:
        """Return the next form that is to be sent now."""
        with self._adding:
            number = len(self.sent)
            tenant = self.tenants[number // PER_TENANT % len(self.tenants)]
            self.sent.append(Sent(f"{self.name}-{number}", case, tenant, time.monotonic()))
            return self.sent[-1]

    def answers(self) -> list[Answer]:
        return [answer for sent in self.sent for answer in sent.answers if isinstance(answer, Answer)]

    def send(self, cases: Sequence[Case]) -> list[Sent]:
        """Send all of these at once, as far as the senders go, and wait for the answers."""
        sent = [self.add(case) for case in cases]
        at_once(sent)
        return sent

    def send_in_batches(self, cases: Sequence[Case]) -> list[Sent]:
        """Send all of these, as many in a request as one facility has in a row; several requests at once."""
        sent = [self.add(case) for case in cases]
        with ThreadPoolExecutor(BATCHES) as senders:
            list(senders.map(send_batch, (list(of) for _, of in itertools.groupby(sent, attrgetter("tenant")))))
        return sent

    def wait_for_more(self, forms: int, *, seconds: float = 60) -> None:
        """Wait until so many further forms are taken."""
        began, wanted = time.monotonic(), self._taken() + forms
        while self._taken() < wanted:
            assert time.monotonic() - began < seconds, [sent.answers[-1:] for sent in self.sent[-5:]]
            time.sleep(0.1)

    def _taken(self) -> int:
        return sum(sent.outcome == "ok" for sent in list(self.sent))

    def retry(self) -> None:
        """Send each unknown one again, with its key, until it is answered."""
        deadline = time.monotonic() + SETTLING
        while waiting := [sent for sent in self.sent if sent.outcome == "unknown"]:
            assert time.monotonic() < deadline, f"{len(waiting)} forms find no answer: {waiting[0].answers[-1]}"
            at_once(waiting)
            time.sleep(0.1)


def at_once(sent: Sequence[Sent]) -> None:
    """Send each once, side by side."""
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(Sent.send, sent))


def send_batch(sent: Sequence[Sent]) -> None:
    """Send forms of one facility in one request."""
    began = time.monotonic()
    answers: Sequence[Answer | UnansweredError]
    try:
        answers = sent[0].tenant.hospital.post_batch(
            [{"idempotency_key": each.key, "form": each.form} for each in sent]
        )
    except UnansweredError as error:
        answers = [error] * len(sent)
    for each, answer in zip(sent, answers, strict=True):
        each.note(answer, began)


@contextmanager
def load(
    history: History, *, rate: float = 20, queues: Sequence[str] = QUEUES, version: str = NEWEST
) -> Iterator[History]:
    """Send one form of `version` after the other, of these queues in turn, at `rate` a second, until the block ends."""
    stop = threading.Event()

    def post() -> None:
        began = time.monotonic()
        for number, queue in zip(itertools.count(), itertools.cycle(queues)):
            # By the clock, not by the answers: a slow service meets as many senders as a fast one.
            if stop.wait(max(0, began + number / rate - time.monotonic())):
                return
            senders.submit(history.add(case_for(queue, version=version)).send)

    with ThreadPoolExecutor(SENDERS) as senders:
        poster = threading.Thread(target=post)
        poster.start()
        try:
            yield history
        finally:
            stop.set()
            poster.join()
