"""Bounds request bodies that are still arriving: how many, of one key and of one client address, and for how long.

A thread reads a body and can do nothing else until it is complete. One that was sent whole is read in less than a
millisecond, so it is taken whatever others do: a body without a place is refused only if it is not complete at once.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.api.http.problems import RETRY_AFTER_SECONDS, ProblemError

STALL_SECONDS = 0.25  # then a body that is still arriving no longer counts as one that will soon be complete
MIN_SECONDS = 0.05  # for a body without a place, where all places stall: what was sent whole is here long before
DEADLINE_SECONDS = 10.0  # for a body of one form or action
BATCH_DEADLINE_SECONDS = 30.0
OVERDUE = ProblemError(408, "The body did not arrive in time.", headers={"Connection": "close"})


@dataclass(slots=True, eq=False)
class Arriving:
    """A body that is being read: under which names it is counted, and since when."""

    names: Sequence[tuple[str, str]]
    began: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long a body may take to arrive, and what to answer if it takes longer."""

    seconds: float
    overdue: ProblemError


class BodyLimits:
    """Counts the bodies that are arriving. A quarter of the request threads reads none for longer than a moment."""

    def __init__(self, threads: int) -> None:
        """Share `threads`: of one key a quarter may read bodies at once, of one address half, of all three quarters."""
        self._most = {kind: max(1, threads * quarters // 4) for kind, quarters in (("key", 1), ("address", 2), ("", 3))}
        self._lock = threading.Lock()
        self._arriving: set[Arriving] = set()

    @contextmanager
    def reading(self, *, key: str, address: str, seconds: float) -> Iterator[Allowance]:
        """Hold a place for one body, which has `seconds`, or a moment where there is no place."""
        body = Arriving((("key", key), ("address", address), ("", "")))
        with self._lock:
            full = self._full(body.names)
            if full is None:
                self._arriving.add(body)
        try:
            yield Allowance(seconds, OVERDUE) if full is None else _moment(*full)
        finally:
            with self._lock:
                self._arriving.discard(body)

    def _full(self, names: Sequence[tuple[str, str]]) -> tuple[str, list[Arriving]] | None:
        if len(self._arriving) < self._most["key"]:
            return None  # the least of the bounds
        for name in names:
            bodies = [body for body in self._arriving if name in body.names]
            if len(bodies) >= self._most[name[0]]:
                return name[0], bodies
        return None


def _moment(kind: str, bodies: Sequence[Arriving]) -> Allowance:
    """Return what a body has that finds all places of a `kind` taken: longer while one of these is young."""
    left = max(body.began for body in bodies) + STALL_SECONDS - time.monotonic()
    return Allowance(max(MIN_SECONDS, left), _too_many(kind))


def _too_many(kind: str) -> ProblemError:
    headers = {"Retry-After": RETRY_AFTER_SECONDS, "Connection": "close"}
    if not kind:
        return ProblemError(503, "Too many bodies are arriving. Please send again.", kind="busy", headers=headers)
    whose = "this key" if kind == "key" else "this address"
    return ProblemError(
        429, f"Too many bodies of {whose} are incomplete.", kind="too-many-incomplete-bodies", headers=headers
    )
