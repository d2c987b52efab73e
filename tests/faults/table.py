"""The table at the end of a run: one line a fault, with zeros where nothing was lost or doubled."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

HEADINGS = ("fault", "accepted", "routed", "lost", "doubled", "slowest red flag", "slowest post", "turned away")


@dataclass(frozen=True)
class Row:
    """What one fault did; times in seconds, `turned_away` counts answers of 5xx and none at all."""

    fault: str
    accepted: int
    routed: int
    lost: int
    doubled: int
    slowest_red_flag: float
    slowest_post: float
    turned_away: int


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, the sums last."""
    counts = [sum(getattr(row, name) for row in rows) for name in ("accepted", "routed", "lost", "doubled")]
    slowest = [max((getattr(row, name) for row in rows), default=0.0) for name in ("slowest_red_flag", "slowest_post")]
    total = Row("all", *counts, *slowest, sum(row.turned_away for row in rows))
    cells = [HEADINGS, *([shown(value) for value in astuple(row)] for row in (*rows, total))]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(
        1, "|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|"
    )
    return "\n".join(lines)


def shown(value: object) -> str:
    return f"{value:.2f} s" if isinstance(value, float) else str(value)
