"""Plots of the statistics: bars and their names; drawn as SVG by the page, which has the same numbers in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.api.console import words
from services.api.console.words import TAGS
from shared.clinical.protocol import Protocol

MAX_RULES = 8  # of the table's that the plot shows
MAX_SHARE = 2.0  # of a target, beyond which a bar is cut: its numbers say how much longer it took


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, the length of each of its parts by the name of a colour, and what is written beside it."""

    label: str
    parts: tuple[tuple[str, float], ...]
    says: str = ""

    @property
    def total(self) -> float:
        return sum(length for _, length in self.parts)


@dataclass(frozen=True, slots=True)
class Plot:
    """Lying bars under a name; `legend` names the colours, `line` is a length that is marked, such as a target."""

    name: str
    legend: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    line: float | None = None

    @property
    def longest(self) -> float:
        """Return the length by which the plot is scaled."""
        return max(longest(self.bars), self.line or 0)


def waits(of: Mapping[int, tuple[int, Sequence[float]]], protocol: Protocol) -> Plot | None:
    """Return median and 95 % of each priority as a share of its target; None where none has a target in minutes."""
    bars = []
    for place, tag in enumerate(TAGS.values()):
        minutes = protocol.targets.classes[tag.name].acknowledge_minutes
        if minutes is None or place not in of:
            continue
        median, _, most, _ = (min(float(each) / (minutes * words.MINUTE), MAX_SHARE) for each in of[place][1])
        bars.append(Bar(tag.word, (("plain", median), ("rest", most - median)), words.duration(float(of[place][1][2]))))
    legend = (("plain", "Median"), ("rest", "95 %, written beside; the line is the target"))
    return Plot("Time to acknowledge as a share of its target, by priority", legend, tuple(bars), 1.0) if bars else None


def breaches(rows: Sequence[tuple[Any, ...]]) -> Plot | None:
    """Return the cases of each queue, late or not."""
    bars = [Bar(queue, (("late", late), ("plain", cases - late)), f"{late} of {cases}") for queue, cases, late in rows]
    legend = (("late", "Late"), ("plain", "In time, or not due yet"))
    return Plot("Cases that were late, by queue", legend, tuple(bars)) if any(bar.total for bar in bars) else None


def rules(rows: Sequence[tuple[Any, ...]]) -> Plot | None:
    """Return how often the first rules fired, and could not be evaluated."""
    bars = [
        Bar(rule, (("plain", fired), ("rest", missing)), f"{fired}, {missing}")
        for rule, _, fired, missing in rows[:MAX_RULES]
    ]
    legend = (("plain", "Fired"), ("rest", "Could not be evaluated"))
    return Plot("How often rules fired and could not be evaluated", legend, tuple(bars)) if bars else None


def longest(bars: Sequence[Bar]) -> float:
    """Return the length of the longest bar, at least 1, by which a plot is scaled."""
    return max((bar.total for bar in bars), default=0) or 1
