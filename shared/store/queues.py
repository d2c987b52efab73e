"""How each queue stands: what is open, what nobody has acknowledged, and what is overdue."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.store.referrals import IS_OPEN, IS_OVERDUE
from shared.store.scope import Scope
from shared.tables import Referral


@dataclass(frozen=True, slots=True)
class QueueState:
    """Counts of one queue's open referrals; `by_priority` by place in PRIORITIES, age of the oldest in seconds."""

    open: int = 0
    unacknowledged: int = 0
    overdue: int = 0
    oldest_age_seconds: float | None = None
    by_priority: Mapping[int, int] = field(default_factory=dict)


def states(session: Session, scope: Scope) -> dict[str, QueueState]:
    """Return the state of every queue that has open referrals which `scope`'s facility may see."""
    statement = (
        select(
            Referral.queue,
            Referral.priority,
            func.count(),
            func.count().filter(Referral.status == "queued"),
            func.count().filter(IS_OVERDUE),
            func.extract("epoch", func.now() - func.min(Referral.created_at)),
        )
        .where(IS_OPEN)
        .group_by(Referral.queue, Referral.priority)
    )
    if scope.facility is not None:
        statement = statement.where(Referral.facility == scope.facility)
    found: dict[str, QueueState] = {}
    for queue, priority, count, unacknowledged, overdue, age in session.execute(statement):
        before = found.get(queue, QueueState())
        found[queue] = QueueState(
            open=before.open + count,
            unacknowledged=before.unacknowledged + unacknowledged,
            overdue=before.overdue + overdue,
            oldest_age_seconds=max(before.oldest_age_seconds or 0.0, float(age)),
            by_priority={**before.by_priority, priority: count},
        )
    return found
