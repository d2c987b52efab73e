"""The table at the end of a run: one line a fault, with zeros where nothing was lost or doubled."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

HEADINGS = {
    "fault": "fault",
    "accepted": "accepted",
    "routed": "routed",
    "lost": "lost",
    "doubled": "doubled",
    "slowest_red_flag": "slowest red flag",
    "slowest_post": "slowest post",
    "turned_away": "turned away",
    "due": "webhooks due",
    "got": "got",
    "strange": "strange",
}


@dataclass(frozen=True)
class Row:
    """What one fault did; times in seconds, `turned_away` counts answers of 5xx and none at all.

    `due`, `got` and `strange` count webhooks, where departments' own systems listen.
    """

    fault: str
    accepted: int
    routed: int
    lost: int
    doubled: int
    slowest_red_flag: float
    slowest_post: float
    turned_away: int
    due: int | None = None
    got: int | None = None
    strange: int | None = None


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, the sums last."""
    cells = [
        list(HEADINGS.values()),
        *([shown(getattr(row, name)) for name in HEADINGS] for row in (*rows, total(rows))),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = [("-" if number == 0 else "-:").rjust(width, "-") for number, width in enumerate(widths)]
    lines = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def total(rows: Sequence[Row]) -> Row:
    """Return the sums, and of times the longest."""
    columns = {each.name: [getattr(row, each.name) for row in rows] for each in fields(Row)}
    longest = {name: max(columns.pop(name), default=0.0) for name in ("slowest_red_flag", "slowest_post")}
    del columns["fault"]
    sums = {name: sum(value or 0 for value in values) for name, values in columns.items()}
    return Row("all", **sums, **longest)


def shown(value: object) -> str:
    return "" if value is None else f"{value:.2f} s" if isinstance(value, float) else str(value)
