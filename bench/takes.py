"""Takes measurements in turn, so that whatever the machine does meanwhile falls on all of them alike."""

from collections.abc import Callable, Mapping
from typing import TypeVar

Take = TypeVar("Take")


def in_turn(rounds: int, measurements: Mapping[str, Callable[[], Take]]) -> dict[str, list[Take]]:
    """Return what each measurement gave in each round; every second round runs backwards."""
    takes: dict[str, list[Take]] = {name: [] for name in measurements}
    for number in range(rounds):
        order = list(measurements) if number % 2 == 0 else list(reversed(measurements))
        for name in order:
            takes[name].append(measurements[name]())
    return takes


def quantile(values: list[float], share: float) -> float:
    """Return the value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def histogram(latencies: list[float]) -> dict[str, int]:
    """Count latencies in seconds by their power of two in microseconds: `"2048"` counts those up to 2,048 µs."""
    counts: dict[int, int] = {}
    for latency in latencies:
        bound = 1 << max(int(latency * 1e6), 1).bit_length()
        counts[bound] = counts.get(bound, 0) + 1
    return {str(bound): counts[bound] for bound in sorted(counts)}
