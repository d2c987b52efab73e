"""The board: three tiles, stuck work and the urgent worklist; as a wall without identity or controls."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Response, make_response, render_template, request

from services.api.console import words
from services.api.console.blueprint import blueprint
from services.api.console.figures.sparkline import Sparkline, age, sparkline
from services.api.console.minute_cache import MinuteCache
from services.api.console.rows import Row, rows
from services.api.console.session import POLL_HEADER, signed_in
from services.api.context import current_context
from services.api.http.auth import READERS, allow, caller, scope
from services.api.referrals.worklists import LABELS
from shared.clinical.referral.lifecycle import QUEUES
from shared.store.event_log import feed
from shared.store.lists.worklist import worklist
from shared.store.operations.board_history import BoardState, Moment, last_hour
from shared.store.operations.last_cases import last_held
from shared.store.operations.stuck_work import Stuck, stuck_work
from shared.store.queues import QueueStatus, states

ROWS, WALL_ROWS = 50, 12

_history = MinuteCache[list[Moment]]()
FRESH_SECONDS = 30  # after which a board is drawn again though no event came: ages and what is overdue


@dataclass(frozen=True, slots=True)
class Board:
    """What the board shows: queues by name, the rows of one, and how many more there are."""

    queue: str
    label: str
    states: dict[str, QueueStatus]
    rows: list[Row]
    more: int
    stuck: list[Stuck]
    lines: Mapping[str, Sparkline]  # by tile
    last_held: datetime | None  # when the queue on the board last held a case, where it is empty

    @property
    def unacknowledged(self) -> int:
        return sum(state.unacknowledged for state in self.states.values())

    @property
    def overdue(self) -> int:
        return sum(state.overdue for state in self.states.values())

    @property
    def oldest_seconds(self) -> float | None:
        return max((state.oldest_age_seconds or 0 for state in self.states.values() if state.open), default=None)


@blueprint.get("")
@allow("auditor", *READERS)
def board() -> Response:
    """Show the board, or what of it changed since the version that a poll names."""
    wall = request.args.get("view") == "wall" or signed_in().kind == "wall"
    tag = board_version()
    if request.headers.get(POLL_HEADER) == tag:
        return Response(status=304, headers={POLL_HEADER: tag})
    content = _board(WALL_ROWS if wall else ROWS)
    moved = words.reference_in(request.args.get("moved", ""))  # an action took it out of the caller's queues
    return page("wall" if wall else "board", "board_live", tag, board=content, wall=wall, moved=moved)


def board_version() -> str:
    """Return a tag that changes whenever the worklists may look different."""
    with current_context().statements.connect() as connection:
        latest = feed.latest_id(connection)
    return f"{latest}-{int(current_context().now().timestamp()) // FRESH_SECONDS}"


def page(whole: str, live: str, tag: str, **content: Any) -> Response:
    """Return a page, or for a poll its live part alone, under the version by which the next poll asks."""
    template = live if "HX-Request" in request.headers else whole
    response = make_response(
        render_template(f"console/{template}.html", tag=tag, now=current_context().now(), **content)
    )
    response.headers[POLL_HEADER] = tag
    return response


def _board(limit: int) -> Board:
    seen = [name for name in QUEUES if caller().role != "department" or name in caller().queues]
    queue = seen[0]
    with current_context().statements.connect() as connection:
        found = states(connection, replace(scope(), queues=None))
        listed = worklist(connection, queue, "queued", scope(), limit=limit, after=None)
        if len(listed) < limit:  # what waits comes before what is in hand
            listed += worklist(connection, queue, "acknowledged", scope(), limit=limit - len(listed), after=None)
        stuck = stuck_work(connection, scope(), sees_deliveries=sees_deliveries())
        held = None if listed else last_held(connection, scope(), queue)
    shown: dict[str, QueueStatus] = {name: found.get(name, QueueStatus()) for name in seen}
    more = max(0, shown[queue].open - len(listed))
    listed_rows = rows(listed, current_context().now())
    return Board(queue, LABELS[queue], shown, listed_rows, more, stuck, _lines(shown), held)


def sees_deliveries() -> bool:
    """Whether the caller sees deliveries, which are of no facility: an operator or admin of all facilities."""
    return caller().role in ("operator", "admin") and caller().facility is None


def _lines(shown: Mapping[str, QueueStatus]) -> dict[str, Sparkline]:
    """Return the last hour of each tile; what stands now is read anew, what was before once a minute."""
    now = current_context().now()
    oldest = max((state.oldest_age_seconds or 0.0 for state in shown.values()), default=0.0)
    unacknowledged = sum(state.unacknowledged for state in shown.values())
    overdue = sum(state.overdue for state in shown.values())
    present = BoardState(unacknowledged, overdue, now - timedelta(seconds=oldest) if oldest else None)
    seen, context = scope(), current_context()
    key = (id(context), seen.facility, tuple(shown))

    def count() -> list[Moment]:
        with context.statements.connect() as connection:
            return last_hour(connection, seen, tuple(shown), present, now)

    hour = [*_history.get(key, count)[:-1], Moment(now, unacknowledged, overdue, oldest)]
    return {
        "unacknowledged": sparkline("Not acknowledged", [each.unacknowledged for each in hour]),
        "overdue": sparkline("Overdue", [each.overdue for each in hour]),
        "oldest": sparkline("Oldest open case", [each.oldest_seconds for each in hour], age),
    }
