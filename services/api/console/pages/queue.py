"""One queue's worklist, with its filters in the address."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, request
from marshmallow import ValidationError
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.console.pages.board import board_version, page
from services.api.console.rows import rows
from services.api.console.session import POLL_HEADER, signed_in
from services.api.context import current_context
from services.api.http.auth import READERS, allow, caller, scope
from services.api.http.paging import BadCursorError, cursor_at, position_of
from services.api.http.problems import ProblemError
from services.api.referrals.worklists import LABELS
from shared.clinical.referral.lifecycle import OPEN_STATUSES, PRIORITIES, QUEUES, STATUSES
from shared.store.lists.worklist import WorklistPosition, worklist
from shared.store.operations.last_cases import last_held
from shared.store.referrals import StoredReferral

ROWS = 100
READ, MAX_READS = 200, 10  # of the queue, to find ROWS that the filters let through; the next page goes on from there
MAX_FACILITY = 63


@dataclass(frozen=True, slots=True)
class Filters:
    """Which cases of a queue are shown."""

    status: str
    priority: str
    facility: str
    overdue: bool
    mine: bool

    def let_through(self, stored: StoredReferral) -> bool:
        """Whether a case is shown."""
        return (
            self.priority in ("", PRIORITIES[stored.priority])
            and self.facility in ("", stored.facility)
            and (stored.overdue or not self.overdue)
            and (not self.mine or (stored.status == "acknowledged" and stored.acknowledged_by == signed_in().name))
        )

    @property
    def address(self) -> dict[str, str | None]:
        """Return the filters as parameters of an address; what is not chosen is left out."""
        chosen = {"priority": self.priority, "facility": self.facility}
        pressed = {"overdue": "true" if self.overdue else "", "mine": "true" if self.mine else ""}
        status = "" if self.status == "open" else self.status
        return {name: value or None for name, value in {"status": status, **chosen, **pressed}.items()}

    @property
    def any(self) -> bool:
        """Whether less than the whole open worklist is shown."""
        return any(self.address.values())

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the statuses that are listed one after the other."""
        return OPEN_STATUSES if self.status == "open" else (self.status,)


@blueprint.get("/queues/<name>")
@allow("auditor", *READERS)
def queue(name: str) -> Response:
    """Show a page of a queue: what waits for somebody, most pressing first, then what is in hand."""
    if name not in QUEUES:
        raise NotFound
    if caller().role == "department" and name not in caller().queues:
        raise ProblemError(403, "This key does not name that queue.")
    filters = _filters()
    tag = board_version()
    if request.headers.get(POLL_HEADER) == tag:
        return Response(status=304, headers={POLL_HEADER: tag})
    found, following = _matching(name, filters)
    held = None
    if not found:
        with current_context().statements.connect() as connection:
            held = last_held(connection, scope(), name)
    content = {"name": name, "label": LABELS[name], "next": following, "filters": filters, "held": held}
    return page("queue", "queue_live", tag, rows=rows(found, current_context().now()), **content)


def _filters() -> Filters:
    """Return what the address asks for; raises NotFound for a word that is none of ours."""
    asked = request.args
    status, priority = asked.get("status") or "open", asked.get("priority", "")
    facility = asked.get("facility", "").strip()
    if status not in ("open", "all", *STATUSES) or priority not in ("", *PRIORITIES) or len(facility) > MAX_FACILITY:
        raise NotFound
    return Filters(status, priority, facility, overdue=asked.get("overdue") == "true", mine=asked.get("mine") == "true")


def _matching(name: str, filters: Filters) -> tuple[Sequence[StoredReferral], dict[str, str | None] | None]:
    """Return at most ROWS cases, and where the next page goes on; reads at most READ x MAX_READS."""
    shown: list[StoredReferral] = []
    part, after = _part(filters), _after()
    with current_context().statements.connect() as connection:
        for _ in range(MAX_READS):
            found = worklist(connection, name, filters.parts[part], scope(), limit=READ, after=after)
            for each in found:
                if filters.let_through(each):
                    if len(shown) == ROWS:
                        return shown, _following(filters, part, after)
                    shown.append(each)
                after = WorklistPosition(each.priority, each.acknowledge_by, each.id)
            if len(found) == READ:
                continue
            if part + 1 == len(filters.parts):
                return shown, None
            part, after = part + 1, None
    return shown, _following(filters, part, after)


def _following(filters: Filters, part: int, after: WorklistPosition | None) -> dict[str, str | None]:
    """Return the parameters of an address that goes on after a place in a part of the list."""
    return {**filters.address, "part": str(part), "cursor": cursor_at(after) if after else None}


def _part(filters: Filters) -> int:
    """Return which of the statuses the address goes on with; raises NotFound for one that is not listed."""
    part = request.args.get("part", default=0, type=int)
    if part not in range(len(filters.parts)):
        raise NotFound
    return part


def _after() -> WorklistPosition | None:
    cursor = request.args.get("cursor")
    try:
        return position_of(cursor) if cursor else None
    except (BadCursorError, ValidationError):
        raise NotFound from None
