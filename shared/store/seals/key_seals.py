"""Seals API keys when they are issued: one that was inserted into the table by other means has no seal."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.store.seals.macs import mac

CHAIN_KEY = "chain_key"  # in `Session.info`, where the process has it

KEY_COLUMNS = (
    "api_keys.id, api_keys.secret_hash, api_keys.role, api_keys.facility, api_keys.queues, api_keys.person_id, "
    "api_keys.created_at"
)
_ONE = text(f"select {KEY_COLUMNS} from api_keys where id = :id")  # noqa: S608 - a constant
_UNSEALED = text(f"""
    select {KEY_COLUMNS} from api_keys where not exists (select from key_seals where key_id = api_keys.id)
""")  # noqa: S608 - a constant
# The keys of persons, but those with other rights than the person has now.
_OF_PERSONS = text(f"""
    select {KEY_COLUMNS}, mac from api_keys join key_seals on key_id = api_keys.id
    join people on people.id = person_id
    and (people.role, people.queues) = (api_keys.role, api_keys.queues)
    and people.facility is not distinct from api_keys.facility
    where cast(:person_id as text) is null or person_id = :person_id
""")  # noqa: S608 - constants
_ADD = text("insert into key_seals (key_id, mac) values (:key_id, :mac) on conflict do nothing")


def seal_issued_key(session: Session, key_id: str) -> None:
    """Seal a key that this transaction issues, where the process has the key of seals."""
    if key := session.info.get(CHAIN_KEY):
        _add(session, key, session.execute(_ONE, {"id": key_id}))


def seal_keys_before_switch_over(session: Session, key: bytes) -> None:
    """Seal all keys that were issued before there were seals."""
    _add(session, key, session.execute(_UNSEALED))


def key_mac(key: bytes, row: Row[Any]) -> bytes:
    """Return the MAC of an API key (KEY_COLUMNS): what it opens, for whom, and with which secret."""
    return mac(key, "api key", *row)


def persons_with_sealed_key(session: Session, key: bytes, person_id: str | None = None) -> set[str]:
    """Return the ids of the persons, or of the one, for whom a key was issued: `people add` issues one to each.

    Keys that were revoked or have expired count. A person who was inserted into the table by other means has none.
    """
    rows = session.execute(_OF_PERSONS, {"person_id": person_id})
    return {row.person_id for row in rows if row.mac == key_mac(key, row[:-1])}  # type: ignore[arg-type] # in order


def _add(session: Session, key: bytes, rows: Iterable[Row[Any]]) -> None:
    for row in rows:
        session.execute(_ADD, {"key_id": row.id, "mac": key_mac(key, row)})
