"""Walks a table by its primary key, one short transaction for each batch, until a whole walk finds nothing to do.

Rows that another transaction has locked are left for the next walk. A walk that is stopped, or killed, leaves every row
as it was or as it is to be, and the next one goes on with what is left.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.platform.database import Sessions

FIRST = UUID(int=0)
BATCH = 500  # some ten milliseconds for which its rows are locked
MAX_WALKS = 20  # beside forms that arrive all the time, each walk finds less than the one before


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch did: rows changed, left to others, and not to be opened; `last` is None at the end."""

    changed: int
    left: int
    closed: int
    last: UUID | None


@dataclass(frozen=True, slots=True)
class Walked:
    """What all walks did: rows changed in any; rows that were locked, and that do not open, as of the last."""

    changed: int
    left: int
    closed: int


def walk(sessions: Sessions, step: Callable[[Session, UUID, int], Batch], limit: int = BATCH) -> Walked:
    """Run `step` (session, after, limit) over the whole table until it changes nothing any more."""
    changed = left = closed = 0
    for _ in range(MAX_WALKS):
        done, left, closed, after = 0, 0, 0, FIRST
        while True:
            with sessions.begin() as session:
                batch = step(session, after, limit)
            done, left, closed = done + batch.changed, left + batch.left, closed + batch.closed
            if batch.last is None:
                break
            after = batch.last
        changed += done
        if not done and not left:
            break
    return Walked(changed, left, closed)


def locked(session: Session, table: str, ids: Collection[UUID]) -> set[UUID]:
    """Lock those of the rows that nobody else has locked, and return their ids."""
    statement = text(f"select id from {table} where id = any(:ids) for no key update skip locked")  # noqa: S608
    return set(session.scalars(statement, {"ids": list(ids)})) if ids else set()
