"""What a caller may see: part of every query, so that a row outside the scope is a row that does not exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Text, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from shared.tables import Referral


@dataclass(frozen=True, slots=True)
class Scope:
    """Rows of one facility, or of all where it is None; referrals of some queues, or of all where that is None.

    Neither has a default: who is to see all rows has to be given `everything()`.
    """

    facility: str | None
    queues: Sequence[str] | None

    @classmethod
    def everything(cls) -> Self:
        """Return the scope that sees all rows of all facilities."""
        return cls(None, None)

    @classmethod
    def of_facility(cls, facility: str) -> Self:
        """Return the scope that sees all rows of one facility."""
        return cls(facility, None)

    @property
    def kind(self) -> "Scope":
        """Return the scope that has the same conditions and no values: one query serves all that are alike."""
        return Scope(None if self.facility is None else "", None if self.queues is None else ())

    @property
    def values(self) -> dict[str, Any]:
        """Return, by their parameters, the values that a query of this kind is given to be one of this scope."""
        return {"facility": self.facility, "queues": None if self.queues is None else list(self.queues)}

    def referrals(self) -> list[ColumnElement[bool]]:
        """Return the conditions under which a referral is seen; other `values` may be given."""
        table, seen = Referral.__table__.c, list[ColumnElement[bool]]()
        if self.facility is not None:
            seen.append(table.facility == bindparam("facility", self.facility))
        if self.queues is not None:
            seen.append(table.queue == any_(bindparam("queues", self.queues, ARRAY(Text))))
        return seen
