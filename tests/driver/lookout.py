"""Looks at the urgent worklists all the time, as departments do, and notes when each red flag stands in one."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

from .client import Client, UnansweredError
from .contention import Contention
from .load import History, Sent

PAUSE = 0.04  # seconds between two looks
EYES = 8  # departments that look at once: none waits for another's answer
HANDS = 2  # that acknowledge meanwhile: nobody looks later for it
ACKNOWLEDGED = 4  # one in so many is acknowledged as soon as it is seen


class Lookout:
    """A thread that follows the red flags of `history`; `seen` holds the monotonic time of each one by its intake."""

    def __init__(self, history: History) -> None:
        self.seen: dict[str, float] = {}
        self.contention = Contention()
        self._history = history
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_around, daemon=True)

    def __enter__(self) -> Self:
        self.contention.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self.contention.__exit__()

    def outstanding(self) -> list[Sent]:
        """Return the red flags that were accepted and were not seen until now."""
        sent = list(self._history.sent)
        return [each for each in sent if each.red and each.outcome == "ok" and each.intake not in self.seen]

    def finish(self, seconds: float) -> list[str]:
        """Look for what is outstanding for so many seconds of an idle machine; return the keys of what is unseen."""
        began = time.monotonic()
        while self.outstanding():
            now = time.monotonic()
            if now - began > seconds * self.contention.stretch(began, now):
                break
            time.sleep(PAUSE)
        return [sent.key for sent in self.outstanding()]

    def slowest(self, *, since: float = 0.0) -> float:
        """Return the longest time, in seconds, from a 202, or from `since` if that was later, until it was seen."""
        taken = ((each, self.seen.get(each.intake or "")) for each in self._history.sent if each.red)
        return max((max(0.0, seen - max(each.taken_at, since)) for each, seen in taken if seen), default=0.0)

    def slowest_by_itself(self, *, since: float = 0.0) -> float:
        """Return the longest time of `slowest`, each over how much the machine was stretched meanwhile."""
        taken = (
            (max(each.taken_at, since), self.seen.get(each.intake or "")) for each in self._history.sent if each.red
        )
        waits = (
            (seen - began) / self.contention.stretch(began, seen) for began, seen in taken if seen and seen > began
        )
        return max(waits, default=0.0)

    def _look_around(self) -> None:
        with ThreadPoolExecutor(EYES) as eyes, ThreadPoolExecutor(HANDS) as hands:
            while not self._over.wait(PAUSE):
                list(eyes.map(partial(self._look, hands), {each.tenant.department for each in self.outstanding()}))

    def _look(self, hands: ThreadPoolExecutor, department: Client) -> None:
        try:
            answer = department.request("GET", "/v1/queues/urgent/referrals?status=all&limit=200")
        except UnansweredError:
            return
        if answer.status != 200:
            return
        now = time.monotonic()
        for referral in answer.body["referrals"]:
            if self.seen.setdefault(referral["intake_id"], now) == now and len(self.seen) % ACKNOWLEDGED == 0:
                hands.submit(acknowledge, department, referral["links"]["self"])


def acknowledge(department: Client, path: str) -> None:
    """Acknowledge the referral; where nobody answers, nobody has."""
    with suppress(UnansweredError):
        department.request("POST", f"{path}/acknowledge", {"by": "Dr. Lookout"})
