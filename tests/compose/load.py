"""Steady load with a history: what was sent under which key, and whether it was taken, refused or left unknown."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.cases import Case, case_for

from .client import QUEUES, Answer, Client, UnansweredError
from .forms import form_of

SENDERS = 16
SETTLING = 60  # seconds from the end of a fault until everything accepted has to be routed


@dataclass
class Sent:
    """One form on its way: the same `key` and body are sent until somebody answers."""

    key: str
    case: Case
    outcome: Literal["unknown", "ok", "refused"] = "unknown"
    intake: str | None = None
    answers: list[Answer | UnansweredError] = field(default_factory=list)

    def send(self, client: Client) -> None:
        """Send once; a 5xx or no answer leaves the outcome unknown."""
        try:
            answer = client.post_intake(form_of(self.case, mrn=self.key), idempotency_key=self.key)
        except UnansweredError as error:
            self.answers.append(error)
            return
        self.answers.append(answer)
        if answer.status in (200, 202):
            self.outcome, self.intake = "ok", answer.body["id"]
        elif answer.status < 500:
            self.outcome = "refused"


@dataclass
class History:
    """Everything one load sent."""

    client: Client
    sent: list[Sent] = field(default_factory=list)

    def answers(self) -> list[Answer]:
        return [answer for sent in self.sent for answer in sent.answers if isinstance(answer, Answer)]

    def retry(self) -> None:
        """Send each unknown one again, with its key, until it is answered."""
        deadline = time.monotonic() + SETTLING
        while waiting := [sent for sent in self.sent if sent.outcome == "unknown"]:
            assert time.monotonic() < deadline, f"{len(waiting)} forms find no answer"
            for sent in waiting:
                sent.send(self.client)
            time.sleep(0.2)


@contextmanager
def load(client: Client, name: str, *, rate: float = 20) -> Iterator[History]:
    """Send one form after the other, of all queues in turn, at `rate` a second, until the block ends."""
    history, stop = History(client), threading.Event()

    def post() -> None:
        began = time.monotonic()
        for number, queue in zip(itertools.count(), itertools.cycle(QUEUES)):
            # By the clock, not by the answers: a slow service meets as many senders as a fast one.
            if stop.wait(max(0, began + number / rate - time.monotonic())):
                return
            history.sent.append(Sent(f"{name}-{number}", case_for(queue)))
            senders.submit(history.sent[-1].send, client)

    with ThreadPoolExecutor(SENDERS) as senders:
        poster = threading.Thread(target=post)
        poster.start()
        try:
            yield history
        finally:
            stop.set()
            poster.join()


def assert_each_routed_once(history: History, operator: Client) -> None:
    """Accepted = routed, each once and where it belongs, seen from outside within the settling time."""
    history.retry()
    assert [sent.answers[-1] for sent in history.sent if sent.outcome == "refused"] == []
    deadline = time.monotonic() + SETTLING
    for sent in history.sent:
        while operator.get(f"/v1/intakes/{sent.intake}")["status"] == "received":
            assert time.monotonic() < deadline, f"{sent.key} is not routed"
            time.sleep(0.1)
    expected = sorted((sent.key, sent.intake, sent.case.expected["queue"]) for sent in history.sent)
    found = routes(operator, history)
    assert found == expected, difference(expected, found)


def routes(operator: Client, history: History) -> list[tuple[str, str, str]]:
    """Every referral of the history's patients in any worklist, as (record number, intake, queue)."""
    ours = {sent.key for sent in history.sent}
    return sorted(
        (referral["patient"]["mrn"], referral["intake_id"], queue)
        for queue in QUEUES
        for referral in operator.worklist(queue)
        if referral["patient"]["mrn"] in ours
    )


def difference(expected: list[Any], found: list[Any]) -> str:
    """Say what is missing, and what is there twice or in the wrong place."""
    missing = [entry for entry in expected if entry not in found]
    surplus = [entry for entry in found if entry not in expected or found.count(entry) > 1]
    return f"{len(missing)} missing: {missing[:5]}; {len(surplus)} surplus: {surplus[:5]}"
