"""Facilities: registered before a key is issued for them, of kind `live` or `test`, and closed but never forgotten."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.tables import Facility

LIVE, TEST = "live", "test"


class UnknownFacilityError(Exception):
    """No facility of this name is registered."""


class OtherKindError(Exception):
    """The facility is registered with another kind, which never changes."""


def register(session: Session, name: str, kind: str = LIVE) -> bool:
    """Register a facility, or open a closed one again; return False where it is open already.

    Raises OtherKindError where it has another kind: its referrals carry that.
    """
    added = insert(Facility).values(name=name, kind=kind).on_conflict_do_nothing().returning(Facility.name)
    if session.execute(added).one_or_none():
        return True
    facility = session.scalars(select(Facility).where(Facility.name == name).with_for_update()).one()
    if facility.kind != kind:
        raise OtherKindError
    was_closed = facility.closed_at is not None
    facility.closed_at = None
    session.flush()
    return was_closed


def require(session: Session, name: str | None) -> None:
    """Raise UnknownFacilityError where a facility is named that is not registered."""
    if name is not None and session.scalar(select(Facility.name).where(Facility.name == name)) is None:
        raise UnknownFacilityError(name)


def list_all(session: Session) -> Sequence[Facility]:
    """Return every facility, by name."""
    return session.scalars(select(Facility).order_by(Facility.name)).all()


def names(connection: Connection | Session, *, test: bool) -> list[str]:
    """Return the names of the facilities of one kind."""
    found = connection.execute(select(Facility.name).where(Facility.kind == (TEST if test else LIVE)))
    return [name for (name,) in found]


def close(session: Session, name: str) -> bool:
    """Close a facility; return whether there was an open one."""
    statement = update(Facility).where(Facility.name == name, Facility.closed_at.is_(None))
    closed = session.execute(statement.values(closed_at=func.now()).returning(Facility.name))
    return closed.one_or_none() is not None
