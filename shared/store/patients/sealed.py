"""Finds out which keys the sealed columns need, and whether their values can be opened.

The ids of the keys in use are read by steps along an index, so many steps as there are keys, however many rows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from shared.store.event_log.texts import text_row
from shared.store.names.external_ids import external_id_row
from shared.store.operations.audit import MAX_EXAMPLES
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


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of sealed values, and the name of the row for which each opens."""

    table: str
    name: str
    of: str
    row: Callable[[UUID], str] = str


_IDENTITY = _Column("intakes", "identity", "id")
_EXTERNAL_ID = _Column("intakes", "external_id_sealed", "id", external_id_row)
_COLUMNS = (
    _IDENTITY,
    _Column("identity_corrections", "before", "intake_id"),
    _Column("identity_corrections", "after", "intake_id"),
    _EXTERNAL_ID,
    _Column("event_texts", "sealed", "id", text_row),
)


def samples(session: Session) -> Iterator[list[Sealed]]:
    """Yield, for each key id that rows name, some of the values that it sealed."""
    for column in _COLUMNS:
        for key in session.scalars(_keys(column), {"limit": MAX_KEYS}).all():
            found = session.execute(_of_key(column), {"key": key, "limit": MAX_SAMPLES})
            yield [_sealed(column, row) for row in found]
    yield from ([secret] for secret in secrets(session))


def identities(session: Session, after: UUID) -> Iterator[Sealed]:
    """Yield the identities of all intakes with an id above `after`, a page at a time."""
    return _pages(session, _UP, after)


def external_ids(session: Session) -> Iterator[Sealed]:
    """Yield the external ids of all intakes that have one which is sealed, a page at a time."""
    return _pages(session, _NAMED, UUID(int=0), _EXTERNAL_ID)


def newest_identities(session: Session, limit: int) -> Iterator[Sealed]:
    """Yield the identities of the newest intakes, newest first."""
    return islice(_pages(session, _DOWN, UUID(int=2**128 - 1)), limit)


def secrets(session: Session) -> list[Sealed]:
    """Return the secrets of all destinations that are not removed."""
    kept = select(Destination.id, Destination.secret).where(Destination.status != "removed").order_by(Destination.id)
    return [Sealed("destinations", found, f"destination:{found}", value) for found, value in session.execute(kept)]


@dataclass(slots=True)
class Unreadable:
    """How many values do not open, and the ids of the first of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


def unreadable(found: Iterable[Sealed], opens: Callable[[Sealed], bool]) -> Unreadable:
    """Return how many values do not open."""
    closed = Unreadable()
    for each in found:
        if not opens(each):
            closed.count += 1
            if closed.count <= MAX_EXAMPLES:
                closed.examples.append(str(each.id))
    return closed


def _keys(column: _Column) -> TextClause:
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


def _of_key(column: _Column) -> TextClause:
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
_UP, _DOWN, _NAMED = (
    text(_OF_INTAKES.format(name=name, side=side, kept=kept, order=order, rows=PAGE_ROWS))
    for name, side, kept, order in (
        ("identity", ">", "identity_erased_at is null", "asc"),
        ("identity", "<", "identity_erased_at is null", "desc"),
        ("external_id_sealed", ">", "external_id_sealed is not null", "asc"),
    )
)


def _pages(session: Session, statement: TextClause, place: UUID, column: _Column = _IDENTITY) -> Iterator[Sealed]:
    page: Sequence[Row[Any]]
    while page := session.execute(statement, {"id": place}).all():
        yield from (_sealed(column, row) for row in page)
        place = page[-1].id


def _sealed(column: _Column, row: Row[Any]) -> Sealed:
    return Sealed(column.table, row.id, column.row(row.id), row.value, is_identity=column is _IDENTITY)
