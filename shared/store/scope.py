"""What a caller may see: carried by every query, so that another's row is a row that does not exist."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from shared.tables import Referral


@dataclass(frozen=True, slots=True)
class Scope:
    """Rows of one facility, or of all where it is None; referrals of some queues, or of all where that is None."""

    facility: str | None = None
    queues: Sequence[str] | None = None

    def referrals(self) -> list[ColumnElement[bool]]:
        """Return the conditions under which a referral is seen."""
        seen = [] if self.facility is None else [Referral.__table__.c.facility == self.facility]
        return seen if self.queues is None else [*seen, Referral.__table__.c.queue.in_(self.queues)]
