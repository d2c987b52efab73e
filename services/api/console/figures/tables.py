"""Tables of the statistics page: headings and cells as people read them, and as CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.api.console import words
from services.api.console.figures import plots
from services.api.console.figures.plots import Bar, Plot
from services.api.console.trace import labels_of
from services.api.console.words import TAGS
from services.api.referrals.worklists import LABELS
from shared.clinical.protocol import Protocol
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES
from shared.store.operations.handover import Moved
from shared.store.operations.statistics import Statistics

QUANTILES = ("Median", "90 %", "95 %", "Worst")
MAX_FIELDS = 5  # unanswered questions shown of each facility
MAX_REASONS = 200
DONE = {"referral.returned": "Returned", "referral.rerouted": "Rerouted"}


@dataclass(frozen=True, slots=True)
class StatTable:
    """A table with its name; `bars` are drawn beside it where a picture helps."""

    key: str
    name: str
    says: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    bars: tuple[Bar, ...] = ()  # over time, upright
    plot: Plot | None = None  # of its rows, lying
    plot_name: str = ""
    wide: bool = False  # has a column of what people wrote

    def as_csv(self) -> str:
        """Return the table as CSV; a cell never begins as a spreadsheet's formula does."""
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow(self.columns)
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return written.getvalue()


def tables(found: Statistics, protocol: Protocol, now: datetime) -> list[StatTable]:
    """Return the tables of the page, in its order."""
    return [
        _by_time(found, now),
        _waits(found, protocol),
        _handling(found),
        _breaches(found),
        _rules(found, protocol),
        _unanswered(found, protocol),
        _changed(found),
    ]


def _by_time(found: Statistics, now: datetime) -> StatTable:
    counts: dict[datetime, dict[int, int]] = {}
    for moment, priority, count in found.by_time:
        counts.setdefault(moment, {})[priority] = count
    rows, bars = [], []
    for moment in _moments(found.since, now, found.width):
        of = counts.get(moment, {})
        by_priority = [of.get(place, 0) for place in range(len(PRIORITIES))]
        label = f"{moment:%d %b %H:%M}"
        rows.append((label, *by_priority, sum(by_priority)))
        bars.append(Bar(label, tuple(zip(PRIORITIES, by_priority, strict=True))))
    columns = ("From", *(tag.word for tag in TAGS.values()), "All")
    says = "When referrals were made, by their priority now; the latest first."
    return StatTable(
        "by-hour",
        "Referrals by hour",
        says,
        columns,
        rows[::-1],
        bars=tuple(bars),
        plot_name="Referrals over time, by priority",
    )


def _waits(found: Statistics, protocol: Protocol) -> StatTable:
    of = {priority: (count, quantiles) for priority, count, quantiles in found.acknowledged}
    rows = []
    for place, tag in enumerate(TAGS.values()):
        count, quantiles = of.get(place, (0, [None] * len(QUANTILES)))
        rows.append((tag.word, count, *(_time(each) for each in quantiles), _target(protocol, tag.name)))
    says = "From receipt to the first acknowledgement."
    columns = ("Priority", "Cases", *QUANTILES, "Target")
    plot = plots.waits(of, protocol)
    return StatTable("acknowledge", "Time to acknowledge", says, columns, rows, plot=plot)


def _handling(found: Statistics) -> StatTable:
    of = {priority: (count, quantiles) for priority, count, quantiles in found.handled}
    rows = [
        (tag.word, of.get(place, (0, ()))[0], *(_time(each) for each in of.get(place, (0, [None] * len(QUANTILES)))[1]))
        for place, tag in enumerate(TAGS.values())
    ]
    says = "From the first acknowledgement to completion; waiting is not part of it."
    return StatTable("handling", "Time in hand", says, ("Priority", "Cases", *QUANTILES), rows)


def _breaches(found: Statistics) -> StatTable:
    of = {queue: (count, late) for queue, count, late in found.breaches}
    rows = [(LABELS[queue], *of.get(queue, (0, 0))) for queue in QUEUES]
    says = "Acknowledged after their time, or still waiting after it."
    return StatTable("breaches", "Breaches by queue", says, ("Queue", "Cases", "Late"), rows, plot=plots.breaches(rows))


def _rules(found: Statistics, protocol: Protocol) -> StatTable:
    headlines = {each.id: each.headline for each in (*protocol.rules.values(), *protocol.routes, *protocol.floors)}
    rows = [(rule, headlines.get(rule, ""), fired, missing) for rule, fired, missing in found.rules]
    says = "How often each rule decided, and how often an answer was missing for it."
    columns = ("Rule", "In words", "Fired", "Could not be evaluated")
    return StatTable("rules", "Rules fired most", says, columns, rows, plot=plots.rules(rows))


def _unanswered(found: Statistics, protocol: Protocol) -> StatTable:
    labels, shown = labels_of(protocol), dict[str, int]()
    rows = []
    for facility, field, count in found.unanswered:
        shown[facility] = shown.get(facility, 0) + 1
        if shown[facility] <= MAX_FIELDS:
            rows.append((facility, labels[field].label if field in labels else field, count))
    says = "The questions that left a red-flag rule open most often, for each facility to mend its form."
    name = "Unanswered red-flag questions by facility"
    return StatTable("unanswered", name, says, ("Facility", "Question", "Cases"), rows)


def _changed(found: Statistics) -> StatTable:
    rows = [
        (DONE.get(kind, "Downgrade confirmed"), LABELS.get(from_, "-"), LABELS.get(to, "-"), count)
        for kind, from_, to, count in found.changed
    ]
    says = "What people changed of what the rules decided."
    columns = ("What", "From", "To", "Times")
    return StatTable("changed", "Returned, rerouted and downgraded by people", says, columns, rows)


def reasons(moved: Sequence[Moved]) -> StatTable:
    """Return why people returned and rerouted cases, as they wrote it: for who may read what people write."""
    rows = [
        (
            f"{each.at:%d %b %H:%M}",
            each.reference,
            DONE[each.type],
            LABELS.get(each.data.get("from", ""), "-"),
            LABELS.get(each.data.get("to", ""), "-"),
            each.by or "-",
            each.data.get("reason") or "-",
        )
        for each in moved
    ]
    says = f"As people wrote them, the latest first; at most {MAX_REASONS}."
    columns = ("When", "Case", "What", "From", "To", "By", "Reason")
    return StatTable("reasons", "Reasons for returning and rerouting", says, columns, rows, wide=True)


def _moments(since: datetime, now: datetime, width: timedelta) -> Iterator[datetime]:
    moment = since
    while moment <= now:
        yield moment
        moment += width


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else words.duration(float(seconds))


def _target(protocol: Protocol, priority: Any) -> str:
    target = protocol.targets.classes[priority]
    if target.acknowledge_minutes is not None:
        return words.duration(target.acknowledge_minutes * words.MINUTE)
    days = target.acknowledge_working_days
    return f"{days} working day" if days == 1 else f"{days} working days"


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and value != "-" else value
