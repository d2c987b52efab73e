"""The tables of `referrals watch`: queues, lanes, processes, and the most pressing referrals, without an identity."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.support import terminal
from services.cli.support.times import due, span
from services.cli.watch.view import HELP, View
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES
from shared.monitoring.periodic import ROLES
from shared.platform.task_queues import LANES
from shared.store.operations.status_snapshot import DeliveryStatus, LaneStatus, StatusSnapshot
from shared.store.queues import QueueStatus
from shared.store.referrals import StoredReferral


def board(now: datetime, status: StatusSnapshot, referrals: Sequence[StoredReferral], view: View) -> RenderableType:
    """Return everything that is shown at a moment."""
    return Group(*_parts(now, status, referrals, view))


def _parts(
    now: datetime, status: StatusSnapshot, referrals: Sequence[StoredReferral], view: View
) -> Iterator[RenderableType]:
    yield heading(now)
    yield _queues(status)
    yield ""
    yield _lanes(status)
    yield "  ".join(f"{role} {status.roles[role].at_work if role in status.roles else 0}" for role in ROLES)
    yield ""
    yield Text(f"{view}, most pressing first", "bold")
    yield _referrals(now, referrals) if referrals else "none"
    yield Text(HELP, "dim")


def heading(now: datetime) -> str:
    """Return the line of the time."""
    return f"{now:%Y-%m-%d %H:%M:%S} UTC\n"


def _queues(status: StatusSnapshot) -> RenderableType:
    rows = terminal.table("queue", "open", "unack", "overdue", "oldest", "due", "parked")
    for queue in QUEUES:
        state, deliveries = status.queues.get(queue, QueueStatus()), status.deliveries.get(queue, DeliveryStatus())
        late = Text(str(state.overdue), terminal.OVERDUE if state.overdue else "")
        counts = (str(state.open), str(state.unacknowledged), late, span(state.oldest_age_seconds))
        rows.add_row(queue, *counts, str(deliveries.due), str(deliveries.parked))
    return rows


def _lanes(status: StatusSnapshot) -> RenderableType:
    rows = terminal.table("lane", "waiting", "oldest")
    for lane in LANES:
        waiting = status.lanes.get(lane, LaneStatus())
        rows.add_row(lane, str(waiting.waiting), span(waiting.oldest_age_seconds or None))
    return rows


def _referrals(now: datetime, referrals: Sequence[StoredReferral]) -> RenderableType:
    rows = terminal.table("reference", "queue", "priority", "due", "status", "headline", wide=("headline",))
    for referral in referrals:
        waits = due(referral.acknowledge_by, now) if referral.status == "queued" else "-"
        rows.add_row(
            referral.reference,
            referral.queue,
            terminal.priority_text(PRIORITIES[referral.priority]),
            terminal.due_text(waits),
            f"taken by {referral.acknowledged_by}" if referral.acknowledged_by else referral.status,
            referral.headline,
        )
    return rows
