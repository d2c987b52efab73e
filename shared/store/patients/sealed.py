"""Finds out which keys the sealed columns need, and whether their values can be opened.

The ids of the keys in use are read by steps along an index, so many steps as there are keys, however many rows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from shared.store.operations.audit import Found
from shared.store.patients.sealed_columns import (
    AFTER,
    BEFORE,
    EXTERNAL_ID,
    IDENTITY,
    WEBHOOK_SECRET,
    WORDS,
    SealedColumn,
)
from shared.tables import Destination

PAGE_ROWS = 1000
MAX_KEYS = 1000  # so many ids at most: a damaged row may name one of its own
MAX_SAMPLES = 10  # of each key, from each end of the index


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed value, where it stands, and the name of the row for which it opens."""

    table: str
    id: UUID
    row: str
    value: bytes
    is_identity: bool = False  # of an intake


# A reason is sealed together with the identities beside it, and has no index of keys.
_COLUMNS = (IDENTITY, BEFORE, AFTER, EXTERNAL_ID, WORDS)


def samples(session: Session) -> Iterator[list[Sealed]]:
    """Yield, for each key id that rows name, some of the values that it sealed."""
    for column in _COLUMNS:
        for key in session.scalars(_keys(column), {"limit": MAX_KEYS}).all():
            found = session.execute(_of_key(column), {"key": key, "limit": MAX_SAMPLES})
            yield [_sealed(column, row) for row in found]
    yield from ([secret] for secret in secrets(session))


def external_ids(session: Session) -> Iterator[Sealed]:
    """Yield the external ids of all intakes that have one which is sealed, a page at a time."""
    return _pages(session, _NAMED, UUID(int=0), EXTERNAL_ID)


def newest_identities(session: Session, limit: int) -> Iterator[Sealed]:
    """Yield the identities of the newest intakes, newest first."""
    return islice(_pages(session, _DOWN, UUID(int=2**128 - 1)), limit)


def secrets(session: Session) -> list[Sealed]:
    """Return the secrets of all destinations that are not removed."""
    kept = select(Destination.id, Destination.secret).where(Destination.status != "removed").order_by(Destination.id)
    of = WEBHOOK_SECRET
    return [Sealed(of.table, found, of.row(found), value) for found, value in session.execute(kept)]


def unreadable(found: Iterable[Sealed], opens: Callable[[Sealed], bool]) -> Found:
    """Return the values that do not open, by the ids of their rows."""
    closed = Found()
    for each in found:
        if not opens(each):
            closed.add(each.id)
    return closed


def _keys(column: SealedColumn) -> TextClause:
    key = f"sealing_key({column.name})"
    return text(f"""
        with recursive step as (
            (select {key} as key from {column.table} where {column.name} is not null order by {key} limit 1)
            union all
            select (
                select {key} from {column.table} where {column.name} is not null and {key} > step.key
                order by {key} limit 1
            ) from step where step.key is not null
        )
        select key from step where key is not null limit :limit
    """)  # noqa: S608 - constants


def _of_key(column: SealedColumn) -> TextClause:
    key = f"sealing_key({column.name})"
    ends = (
        f"""(
            select {column.of} as id, {column.name} as value from {column.table}
            where {column.name} is not null and {key} between :key and :key
            order by {key} {direction} limit :limit
        )"""  # noqa: S608 - constants
        for direction in ("asc", "desc")
    )
    return text(" union ".join(ends))


_OF_INTAKES = "select id, {name} as value from intakes where id {side} :id and {kept} order by id {order} limit {rows}"
_DOWN, _NAMED = (
    text(_OF_INTAKES.format(name=name, side=side, kept=kept, order=order, rows=PAGE_ROWS))
    for name, side, kept, order in (
        ("identity", "<", "identity_erased_at is null", "desc"),
        ("external_id_sealed", ">", "external_id_sealed is not null", "asc"),
    )
)


def _pages(session: Session, statement: TextClause, place: UUID, column: SealedColumn = IDENTITY) -> Iterator[Sealed]:
    page: Sequence[Row[Any]]
    while page := session.execute(statement, {"id": place}).all():
        yield from (_sealed(column, row) for row in page)
        place = page[-1].id


def _sealed(column: SealedColumn, row: Row[Any]) -> Sealed:
    return Sealed(column.table, row.id, column.row(row.id), row.value, is_identity=column is IDENTITY)
