"""Bounds request bodies that are still arriving: how many, of one key and of one client address, and for how long.

A thread reads a body and can do nothing else until it is complete. A body that a sender has sent whole holds its place
for less than a millisecond. So who finds no place waits a moment, and is refused where all places stall.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.api.http.problems import RETRY_AFTER_SECONDS, ProblemError

STALL_SECONDS = 0.25  # then a body that is still arriving no longer counts as one that will soon be complete
MAX_WAIT_SECONDS = 1.0
DEADLINE_SECONDS = 10.0  # for a body of one form or action
BATCH_DEADLINE_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class Arriving:
    """A body that is being read: under which names it is counted, and since when."""

    names: Sequence[tuple[str, str]]
    began: float = field(default_factory=time.monotonic)


class BodyLimits:
    """Counts the bodies that are arriving. Whatever they do, a quarter of the request threads reads none of them."""

    def __init__(self, threads: int) -> None:
        """Share `threads`: of one key a quarter may read bodies at once, of one address half, of all three quarters."""
        self._most = {kind: max(1, threads * quarters // 4) for kind, quarters in (("key", 1), ("address", 2), ("", 3))}
        self._changed = threading.Condition()
        self._arriving: set[Arriving] = set()

    @contextmanager
    def reading(self, *, key: str, address: str) -> Iterator[None]:
        """Hold a place for one body; raise ProblemError 429 or 503 where there is none."""
        names = (("key", key), ("address", address), ("", ""))
        with self._changed:
            self._wait_for_place(names)
            body = Arriving(names)
            self._arriving.add(body)
        try:
            yield
        finally:
            with self._changed:
                self._arriving.discard(body)
                self._changed.notify_all()

    def _wait_for_place(self, names: Sequence[tuple[str, str]]) -> None:
        give_up = time.monotonic() + MAX_WAIT_SECONDS
        while full := self._full(names):
            kind, bodies = full
            until = min(give_up, max(body.began for body in bodies) + STALL_SECONDS)
            if (left := until - time.monotonic()) <= 0:
                raise _too_many(kind)
            self._changed.wait(left)

    def _full(self, names: Sequence[tuple[str, str]]) -> tuple[str, list[Arriving]] | None:
        if len(self._arriving) < self._most["key"]:
            return None  # the least of the bounds
        for name in names:
            bodies = [body for body in self._arriving if name in body.names]
            if len(bodies) >= self._most[name[0]]:
                return name[0], bodies
        return None


def _too_many(kind: str) -> ProblemError:
    headers = {"Retry-After": RETRY_AFTER_SECONDS, "Connection": "close"}
    if not kind:
        return ProblemError(503, "Too many bodies are arriving. Please send again.", kind="busy", headers=headers)
    whose = "this key" if kind == "key" else "this address"
    return ProblemError(
        429, f"Too many bodies of {whose} are incomplete.", kind="too-many-incomplete-bodies", headers=headers
    )
