"""Inserts many intakes by one statement: all whose names are free, and none of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.intakes import NewIntake, Receipt, naming, receipt
from shared.store.names.idempotency_keys import KEYS_ARE_KEPT, StoredKey
from shared.store.sql import load


@dataclass(frozen=True, slots=True)
class NamedIntake:
    """An intake to be stored, and the idempotency key that is to name it, if any."""

    new: NewIntake
    idempotency_key: StoredKey | None


_ADD_ALL = text(load("insert_batch"))


def add_all(session: Session, lines: Sequence[NamedIntake]) -> dict[UUID, Receipt]:
    """Store those of `lines` whose names are free; return their receipts by id. None of them amends another intake.

    No name may stand in two lines. Raises NameTakenError, and nothing is stored, where an external id was free and then
    was not, while its key was named already.
    """
    content = orjson.dumps([_line(each) for each in lines], default=_bytea).decode()
    with naming():
        added = session.execute(_ADD_ALL, {"lines": content, "kept": KEYS_ARE_KEPT})
    by_id = {line.new.id: line.new for line in lines}
    return {row.id: receipt(by_id[row.id], row.received_at) for row in added}


def _line(named: NamedIntake) -> dict[str, Any]:
    key, sent = named.idempotency_key, named.new.sent
    return {
        "new": named.new,
        "idempotency_key": key and key.now,
        "earlier_keys": key and key.before,
        "given_external_id": sent.external_id,
        "previous_external_id_hash": sent.previous_external_id_hash,
    }


def _bytea(value: bytes) -> str:
    return f"\\x{value.hex()}"
