"""A sender's name for one attempt to post: hashed, since it may say of whom, and nobody has to read it again.

Keys count for seven days, so those that were stored in the clear, or by the LOOKUP_KEY before, are looked up as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Text, Uuid, any_, bindparam, delete, exists, func, select, tuple_
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from shared.platform.crypto import keyed_hash
from shared.tables import IdempotencyKey

KEYS_ARE_KEPT = timedelta(days=7)
MAX_KEYS = 10_000  # forgotten in one transaction
HASHED = "hmac "  # in front of a hash; with a space, which a key that is sent cannot have
_TABLE = cast(SqlTable, IdempotencyKey.__table__)


def _is_kept(created_at: ColumnElement[datetime]) -> ColumnElement[bool]:
    return created_at > func.now() - KEYS_ARE_KEPT


IS_KEPT = _is_kept(_TABLE.c.created_at)
_OTHER = _TABLE.alias("other_key").c
_IS_FREE = ~exists().where(
    _OTHER.facility == bindparam("facility", type_=Text),
    _OTHER.key == any_(bindparam("earlier_keys", type_=ARRAY(Text))),
    _is_kept(_OTHER.created_at),
)
_ROW = (bindparam("facility", type_=Text), bindparam("idempotency_key", type_=Text), bindparam("id", type_=Uuid))
# Lets a key name an intake, and returns nothing where it names one already. The primary key knows a key as it is stored
# now; as it may have been stored before it is looked for.
NAME = (
    insert(_TABLE)
    .from_select(["facility", "key", "intake_id"], select(*_ROW).where(_IS_FREE))
    .on_conflict_do_update(
        index_elements=[_TABLE.c.facility, _TABLE.c.key],
        set_={"intake_id": bindparam("id", type_=Uuid), "created_at": func.now()},
        where=~IS_KEPT,
    )
    .returning(_TABLE.c.intake_id)
)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """How a key is stored from now on, and how it may have been stored before."""

    now: str
    before: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every way in which a row may have it."""
        return (self.now, *self.before)


def stored_key(given: str, facility: str, lookup_keys: Sequence[bytes], *, hashed: bool) -> StoredKey:
    """Return how a key is stored: hashed by the first of `lookup_keys`, or as it was given."""
    hashes = [f"{HASHED}{keyed_hash(key, orjson.dumps(['key', facility, given])).hex()}" for key in lookup_keys]
    now, *before = [*hashes, given] if hashed else [given, *hashes]
    return StoredKey(now, tuple(before))


def values_of(key: StoredKey) -> dict[str, Any]:
    """Return the values of NAME that are of the key itself."""
    return {"idempotency_key": key.now, "earlier_keys": list(key.before)}


def remember(session: Session, facility: str, key: StoredKey, intake_id: UUID) -> bool:
    """Let the key name the intake from now on; return False if it names one already, and is not too old."""
    names = {"facility": facility, "id": intake_id, **values_of(key)}
    return session.execute(NAME, names).one_or_none() is not None


def delete_old_keys(session: Session) -> int:
    """Remove the oldest idempotency keys of those that are older than seven days, at most MAX_KEYS; return how many.

    Bounded, so that what gathered while no watchman ran is gone in some steps, and not in one that takes too long.
    """
    names = (IdempotencyKey.facility, IdempotencyKey.key)
    oldest = select(*names).where(~IS_KEPT).order_by(IdempotencyKey.created_at).limit(MAX_KEYS)
    forgotten = session.execute(delete(IdempotencyKey).where(tuple_(*names).in_(oldest), ~IS_KEPT).returning(names[1]))
    return len(forgotten.all())
