"""What the database's sessions wait for: looked at every few hundredths of a second while the service works."""

import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from bench.wide.stack import IN_POSTGRES, ROOT, Stack

LOOK_SECONDS = 0.05
RUNNING = "running"
LOOK = f"""
    select coalesce(wait_event_type || ':' || wait_event, '{RUNNING}'), count(*)
    from pg_stat_activity where usename = 'psoas' and state = 'active' group by 1;
"""  # noqa: S608 - a constant
# A commit that waits for this lock waits for the disk: whoever holds it writes the other's commit as well.
SHARED_FLUSH = "LWLock:WALWrite"


@dataclass(slots=True)
class Waits:
    """How often a session with a statement under way was seen in each wait, or `running`, in so many looks."""

    looks: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def sessions(self) -> float:
        """Return how many sessions were at work at once, on average."""
        return self.seen.total() / max(self.looks, 1)

    @property
    def for_others(self) -> float:
        """Return the share that waited for another session: for a row, an advisory lock or shared memory."""
        return self._share(lambda wait: wait.startswith(("Lock:", "LWLock:")) and wait != SHARED_FLUSH)

    @property
    def for_the_disk(self) -> float:
        """Return the share that waited for the disk, alone or together."""
        return self._share(lambda wait: wait.startswith("IO:") or wait == SHARED_FLUSH)

    def shares(self) -> dict[str, float]:
        """Return the share of each wait, the most frequent first."""
        return {wait: count / self.seen.total() for wait, count in self.seen.most_common()}

    def __add__(self, other: "Waits") -> "Waits":
        """Return what was seen in both."""
        return Waits(self.looks + other.looks, self.seen + other.seen)

    def _share(self, chosen: Callable[[str], bool]) -> float:
        return sum(share for wait, share in self.shares().items() if chosen(wait))


@contextmanager
def watched(stack: Stack) -> Iterator[Waits]:
    """Give what is seen in the block; it is complete at its end."""
    waits, stop = Waits(), threading.Event()
    with tempfile.TemporaryFile("w+") as answers:
        with subprocess.Popen(  # noqa: S603 - a constant
            [*IN_POSTGRES, "--dbname=postgres"],
            cwd=ROOT,
            env=stack.environment,
            stdin=subprocess.PIPE,
            stdout=answers,
            text=True,
        ) as session:
            looking = threading.Thread(target=_look, args=(session.stdin, waits, stop))
            looking.start()
            try:
                yield waits
            finally:
                stop.set()
                looking.join()
        answers.seek(0)
        waits.seen.update(read(answers))


def read(answers: IO[str]) -> Counter[str]:
    """Return how often each wait stands in what psql printed."""
    seen: Counter[str] = Counter()
    for line in answers:
        wait, _, count = line.rpartition("|")
        seen[wait] += int(count)
    return seen


def _look(questions: IO[str], waits: Waits, stop: threading.Event) -> None:
    while not stop.wait(LOOK_SECONDS):
        questions.write(LOOK)
        questions.flush()
        waits.looks += 1
