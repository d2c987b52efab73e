"""Lines of the last hour in the tiles of the board: points of an SVG, and a name that says the same in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.api.console import words

WIDTH, HEIGHT, MARGIN = 120, 32, 2


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`points` of a polyline in a box of WIDTH by HEIGHT; `end` is the place of its last one."""

    name: str
    points: str
    end: tuple[float, float]


def sparkline(
    what: str, values: Sequence[float], say: Callable[[float], str] = lambda value: f"{value:.0f}"
) -> Sparkline:
    """Return the line of `values`, the oldest first; its least possible value, 0, is at the bottom."""
    top = max(*values, 1.0)
    step = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
    room = HEIGHT - 2 * MARGIN
    places = [(MARGIN + place * step, HEIGHT - MARGIN - value / top * room) for place, value in enumerate(values)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    name = f"{what}, last hour: from {say(values[0])} to {say(values[-1])}, at most {say(max(values))}"
    return Sparkline(name, points, (round(places[-1][0], 1), round(places[-1][1], 1)))


def age(seconds: float) -> str:
    """Return an age in words; `none` where nothing was open."""
    return words.duration(seconds) if seconds else "none"
