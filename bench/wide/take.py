"""One take at one width: posts alone, then the backlog that they left, then posts and triage at once."""

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

from bench.bodies import Forms, example_forms, get, posts
from bench.client import Connection, drive
from bench.scene import FACILITY
from bench.wide.processors import Meter, Use, meter
from bench.wide.stack import Stack, Width
from bench.wide.waits import Waits, watched
from shared.platform.clock import now

ACCEPTED, BUSY = 202, 503  # a busy API refuses before it stores anything; its sender sends again
POLL_SECONDS = 0.1
MAX_SECONDS = 120  # for what was posted to be triaged
REST_SECONDS = 5  # each container's health is asked once meanwhile
COMMITS = "select xact_commit from pg_stat_database where datname = 'psoas'"
# Between the first transaction, whose own intakes do not count, and the last.
TRIAGED = """
    with taken as (select triaged_at from intakes where received_at >= '{since}')
    select count(*) / extract(epoch from max(triaged_at) - min(triaged_at))
    from taken where triaged_at > (select min(triaged_at) from taken)
"""


@dataclass(slots=True)
class Phase:
    """What a part of a take did: a rate per second, and who used the processors and waited for what meanwhile."""

    per_second: float = 0.0
    posted: int = 0
    refused: int = 0
    commits: int = 0
    use: Use = field(default_factory=Use)
    waits: Waits = field(default_factory=Waits)


@dataclass(frozen=True, slots=True)
class Take:
    """The parts of one take, and what was used at rest before them; `posted` forms became `found` referrals."""

    resting: Use
    accepting: Phase
    draining: Phase
    whole: Phase
    posted: int
    found: int


@dataclass(slots=True)
class Taker:
    """Takes measurements on a stack; `count` forms are posted for each rate."""

    stack: Stack
    count: int
    key: str
    reader: str
    forms: Forms = field(default_factory=lambda: example_forms(now().year))
    names: Iterator[int] = field(default_factory=itertools.count)

    def take(self, width: Width) -> Take:
        """Run the stack at `width`, and measure."""
        self.stack.widen(width)
        before = self._open()
        with meter(self.stack.containers()) as read:
            self._post(self.count // 4)  # connections, plans and caches of new containers
            self._settle(before + self.count // 4)
            began = self._open()
            with read.reading() as resting:
                time.sleep(REST_SECONDS)
            accepting, draining = self._apart(read, began + self.count)
            whole = self._at_once(read, began + 2 * self.count)
        return Take(resting, accepting, draining, whole, 2 * self.count, self._open() - began)

    def _apart(self, read: Meter, wanted: int) -> tuple[Phase, Phase]:
        since = self.stack.ask("select clock_timestamp()")
        with ExitStack() as frozen:
            frozen.enter_context(self.stack.nobody_triages())
            with self._phase(read) as accepting:
                accepting.refused, seconds = self._post(self.count)
                accepting.per_second = self.count / seconds
            with self._phase(read) as draining:
                frozen.close()
                self._settle(wanted)
        draining.per_second = float(self.stack.ask(TRIAGED.format(since=since)))
        return accepting, draining

    def _at_once(self, read: Meter, wanted: int) -> Phase:
        with self._phase(read) as whole:
            began = time.perf_counter()
            whole.refused, _ = self._post(self.count)
            self._settle(wanted)
            whole.per_second = self.count / (time.perf_counter() - began)
        return whole

    @contextmanager
    def _phase(self, read: Meter) -> Iterator[Phase]:
        phase, before = Phase(posted=self.count), int(self.stack.ask(COMMITS))
        with watched(self.stack) as phase.waits, read.reading() as phase.use:
            yield phase
        phase.commits = int(self.stack.ask(COMMITS)) - before

    def _post(self, count: int) -> tuple[int, float]:
        """Post until so many are accepted, and say how many were refused meanwhile and how many seconds it took."""
        refused, seconds, missing = 0, 0.0, count
        while missing:
            requests = posts(self.forms.mixed(), self.key, f"{next(self.names)}")
            load = drive([self.stack.address], itertools.islice(requests, missing), seconds=float("inf"))
            if set(load.statuses) - {ACCEPTED, BUSY}:
                raise ValueError(f"an answer that says neither yes nor later: {dict(load.statuses)}")
            refused, seconds, missing = refused + load.statuses[BUSY], seconds + load.seconds, load.statuses[BUSY]
        return refused, seconds

    def _settle(self, wanted: int) -> None:
        """Wait until so many referrals stand in the worklists."""
        deadline = time.monotonic() + MAX_SECONDS
        while (found := self._open()) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{found} referrals of {wanted} after {MAX_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def _open(self) -> int:
        with closing(Connection(self.stack.address)) as connection:
            _, answer = connection.exchange(get("/v1/queues", self.reader))
        return sum(queue["open"] for queue in json.loads(answer)["queues"])


def taker(stack: Stack, count: int) -> Taker:
    """Return a taker with keys of its own."""
    return Taker(
        stack, count, stack.key("--role", "submitter", "--facility", FACILITY), stack.key("--role", "operator")
    )
