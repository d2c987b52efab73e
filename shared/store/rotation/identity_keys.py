"""Seals anew, with the first key and in the present format, whatever an earlier key or format sealed."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from shared.platform.crypto import ERASED, IdentityCipher, UnreadableIdentityError
from shared.platform.database import Sessions
from shared.store.patients.sealed_columns import (
    AFTER,
    BEFORE,
    EXTERNAL_ID,
    IDENTITY,
    REASON,
    WEBHOOK_SECRET,
    WORDS,
    SealedColumn,
)
from shared.store.rotation.batches import BATCH, Batch, Walked, locked, walk

COLUMNS = (IDENTITY, BEFORE, AFTER, REASON, EXTERNAL_ID, WORDS)


def reseal(sessions: Sessions, column: SealedColumn, cipher: IdentityCipher, limit: int = BATCH) -> Walked:
    """Seal all values of a column anew that are not sealed as `cipher` seals; what does not open stays as it is."""
    return walk(sessions, partial(_step, column, cipher), limit)


def _step(column: SealedColumn, cipher: IdentityCipher, session: Session, after: UUID, limit: int) -> Batch:
    found = session.execute(
        text(f"""
            select id, {column.of} as of, {column.name} as value from {column.table}
            where id > :after and sealing_key({column.name}) <> :target and {column.name} <> :erased
            order by id limit :limit
        """),  # noqa: S608 - constants
        {"after": after, "target": cipher.target, "erased": ERASED, "limit": limit},
    ).all()
    anew = [(row, value) for row in found if (value := _anew(column, cipher, row)) is not None]
    free = locked(session, column.table, [row.id for row, _ in anew])
    ours = [(row, value) for row, value in anew if row.id in free]
    changed = 0
    if ours:
        given = {"ids": [row.id for row, _ in ours], "before": [row.value for row, _ in ours]}
        changed = len(session.execute(_update(column), {**given, "values": [value for _, value in ours]}).all())
    return Batch(changed, len(anew) - changed, len(found) - len(anew), found[-1].id if len(found) == limit else None)


def _anew(column: SealedColumn, cipher: IdentityCipher, row: Row[Any]) -> bytes | None:
    name = column.row(row.of)
    try:
        return cipher.seal(cipher.open(row.value, row=name), row=name)
    except UnreadableIdentityError:
        return None


def _update(column: SealedColumn) -> TextClause:
    """Return the update of what is still as it was read: a correction may have come in between."""
    return text(f"""
        update {column.table} set {column.name} = given.value
        from unnest(cast(:ids as uuid[]), cast(:before as bytea[]), cast(:values as bytea[]))
            as given (id, before, value)
        where {column.table}.id = given.id and {column.table}.{column.name} = given.before
        returning {column.table}.id
    """)  # noqa: S608 - constants


def ciphers_of(identities: IdentityCipher, webhooks: IdentityCipher) -> Mapping[SealedColumn, IdentityCipher]:
    """Return every sealed column with the cipher that seals it."""
    return {**dict.fromkeys(COLUMNS, identities), WEBHOOK_SECRET: webhooks}
