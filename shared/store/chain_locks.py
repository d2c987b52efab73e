"""Locks of a chain of forms: an advisory lock and a row lock, named by its first intake, until the transaction ends.

They are taken in this order. The advisory lock keeps the identity as it is: an amendment shares it; a correction, an
erasure and a legal hold take it alone. The lock on the row of the first intake keeps the referrals as they are.
"""

from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

_SHARED = text("select pg_advisory_xact_lock_shared(hashtextextended(cast(:first as text), 0))")
_EXCLUSIVE = text("select pg_advisory_xact_lock(hashtextextended(cast(:first as text), 0))")
# "No key": a transaction that only refers to the row, as a form does that amends it, need not wait.
_ROW = text("select from intakes where id = :first for no key update")


def share_identity(connection: Connection | Session, first: UUID) -> None:
    """Keep others from changing the identity of the chain; any number of transactions may do so at once."""
    connection.execute(_SHARED, {"first": str(first)})


def lock_identity(session: Session, first: UUID) -> None:
    """Keep others from reading or changing the identity of the chain under a lock of theirs."""
    session.execute(_EXCLUSIVE, {"first": str(first)})


def lock_referrals(session: Session, first: UUID) -> None:
    """Keep others from adding or changing a version of the chain."""
    session.execute(_ROW, {"first": first})
