"""Statistics: tables with plots beside them, for windows of 8 hours to 30 days, and CSV of each."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Response, render_template, request
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.console.figures.plots import longest
from services.api.console.figures.tables import MAX_REASONS, StatTable, reasons, tables
from services.api.console.minute_cache import MinuteCache
from services.api.context import current_context
from services.api.http.auth import READERS, allow, caller, scope
from shared.store.access.scope import Scope
from shared.store.operations.handover import moved_since
from shared.store.operations.statistics import Statistics, statistics

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOWS = {"8h": (8 * HOUR, HOUR), "24h": (24 * HOUR, HOUR), "7d": (7 * DAY, 6 * HOUR), "30d": (30 * DAY, DAY)}

_kept = MinuteCache[Statistics]()


@blueprint.get("/statistics")
@allow("auditor", *READERS)
def statistics_page() -> str:
    """Show the statistics of a window."""
    window = _window()
    return render_template(
        "console/statistics.html", window=window, windows=list(WINDOWS), tables=list(_tables(window)), most=longest
    )


@blueprint.get("/statistics/<key>.csv")
@allow("auditor", *READERS)
def statistics_csv(key: str) -> Response:
    """Return one table as CSV."""
    found = next((each for each in _tables(_window()) if each.key == key), None)
    if found is None:
        raise NotFound
    name = f"psoas-{key}-{_window()}.csv"
    return Response(
        found.as_csv(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


def _window() -> str:
    window = request.args.get("since", "24h")
    if window not in WINDOWS:
        raise NotFound
    return window


def _tables(window: str) -> Iterator[StatTable]:
    """Yield the tables of the page; what people wrote comes last, and is read only for who gets so far."""
    now = current_context().now()
    yield from tables(_statistics(window, now), current_context().protocol, now)
    if caller().role != "auditor":
        yield _reasons(_since(window, now))


def _reasons(since: datetime) -> StatTable:
    """Return what people wrote; it is read anew each time, so that nothing of it is kept in memory."""
    context = current_context()
    with context.statements.connect() as connection:
        return reasons(moved_since(connection, scope(), since, cipher=context.cipher, limit=MAX_REASONS))


def _statistics(window: str, now: datetime) -> Statistics:
    """Return what was counted in the last minute, or count."""
    seen = scope()
    key = (id(current_context()), window, seen.facility, tuple(seen.queues or ()))
    return _kept.get(key, lambda: _count(seen, _since(window, now), WINDOWS[window][1]))


def _count(seen: Scope, since: datetime, width: timedelta) -> Statistics:
    with current_context().sessions() as session:
        return statistics(session, seen, since, width)


def _since(window: str, now: datetime) -> datetime:
    length, width = WINDOWS[window]
    return _step_before(now, width) - length + width


def _step_before(now: datetime, width: timedelta) -> datetime:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (now - midnight) // width * width
