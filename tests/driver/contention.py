"""How much longer than by itself a piece of computing takes now: what other work takes from this machine's processors.

A promise in seconds holds for a service that has its processors. Where other work shares them, a wait is compared with
what the same machine made of a fixed piece of work at the same time: a ratio, which other work cannot move.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

# Computes for 10 ms of its own processor time, says when it began and ended, and pauses: a tenth of a processor.
PROBE = """
import sys, time
while True:
    began, cpu = time.monotonic(), time.thread_time()
    while time.thread_time() - cpu < 0.01:
        pass
    print(began, time.monotonic(), time.thread_time() - cpu, flush=True)
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class Sample:
    """A piece of computing: from when until when by `time.monotonic()`, and the processor time that it took."""

    began: float
    ended: float
    processor: float


class Contention:
    """A process that measures while the block lasts."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-SEc", PROBE], stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stdout:
            self._process.stdout.close()

    def stretch(self, began: float, ended: float) -> float:
        """Return how many times its processor time the probe took between two moments; 1 on an idle machine."""
        return stretch(list(self.samples), began, ended)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if len(numbers := line.split()) == 3:  # the last one may be cut off
                self.samples.append(Sample(*map(float, numbers)))


def stretch(samples: Sequence[Sample], began: float, ended: float) -> float:
    """Return wall time over processor time of the samples that touch the time between two moments, at least 1."""
    during = [each for each in samples if each.ended >= began and each.began <= ended]
    processor = sum(each.processor for each in during)
    return max(1.0, sum(each.ended - each.began for each in during) / processor) if processor else 1.0
