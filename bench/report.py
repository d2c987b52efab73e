"""Rows of figures, and how they are shown: a table for people, JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

HEADINGS = ("figure", "ours", "baseline", "ratio", "target", "")


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several takes, with the lowest and the highest; all in `unit`."""

    median: float
    low: float
    high: float
    unit: str

    @classmethod
    def of(cls, takes: Sequence[float], unit: str) -> "Spread":
        """Return the spread of `takes`."""
        return cls(median(takes), min(takes), max(takes), unit)

    def __str__(self) -> str:
        """Show three significant digits, and the range where there is one."""
        shown = f"{_short(self.median)} {self.unit}"
        return shown if self.low == self.high else f"{shown} ({_short(self.low)}-{_short(self.high)})"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its baseline. `met` says whether the target is; None where there is none to meet."""

    figure: str
    ours: Spread
    baseline: Spread | None = None
    baseline_name: str = "-"
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def alone(cls, figure: str, ours: Spread) -> "Row":
        """Return a figure that is held against a limit only."""
        return cls(figure, ours)

    @classmethod
    def compared(cls, figure: str, ours: Spread, baseline: Spread, baseline_name: str) -> "Row":
        """Return a figure beside a baseline; the ratio is ours to theirs."""
        return cls(figure, ours, baseline, baseline_name, ours.median / baseline.median)

    def judged(self, target: str, met: bool) -> "Row":
        """Return the row with its target and whether it is met."""
        return replace(self, target=target, met=met)

    def explained(self, details: dict[str, Any]) -> "Row":
        """Return the row with what only the JSON file shows."""
        return replace(self, details=details)

    def cells(self) -> tuple[str, ...]:
        """Return the row as it is shown."""
        baseline = f"{self.baseline_name}: {self.baseline}" if self.baseline else self.baseline_name
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        met = {True: "met", False: "MISSED", None: ""}[self.met]
        return (self.figure, str(self.ours), baseline, ratio, self.target, met)


def as_text(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def as_markdown(rows: Sequence[Row], machine: dict[str, str], head: str = "") -> str:
    """Return the table with what it was measured on, for a page; `head` stands above it and says what it shows."""
    table = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells() for row in rows)]
    facts = [f"- {name}: {value}" for name, value in machine.items()]
    return "\n".join([*([head, ""] if head else []), *facts, "", *(f"| {' | '.join(line)} |" for line in table), ""])


def write(folder: Path, name: str, rows: Sequence[Row], machine: dict[str, str], head: str = "") -> None:
    """Write `<name>.json` and `<name>.md` into `folder`."""
    folder.mkdir(exist_ok=True)
    content = {"machine": machine, "rows": [asdict(row) for row in rows]}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(as_markdown(rows, machine, head), encoding="utf-8")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
