"""Many intakes in one statement: all whose names are free, and none of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.intakes import KEYS_ARE_KEPT, NewIntake, Receipt, naming, receipt


@dataclass(frozen=True, slots=True)
class NamedIntake:
    """An intake to be stored, and the idempotency key that is to name it, if any."""

    new: NewIntake
    idempotency_key: str | None


# As in the statement for one intake, the keys come first, and each waits for whoever is about to take the same one. All
# who store take names in one order, so none waits for another that waits for it: keys, then external ids, both sorted.
_ADD_ALL = text("""
    with line as materialized (
        select (new).*, idempotency_key
        from jsonb_to_recordset(cast(:lines as jsonb)) as line (new intakes, idempotency_key text)
        where (new).external_id is null or not exists (
            select from intakes
            where intakes.facility = (new).facility and intakes.external_id = (new).external_id
        )
    ), named as (
        insert into idempotency_keys (facility, key, intake_id)
        select facility, idempotency_key, id from line where idempotency_key is not null order by idempotency_key
        on conflict (facility, key) do update set intake_id = excluded.intake_id, created_at = now()
            where idempotency_keys.created_at <= now() - :kept
        returning intake_id
    )
    insert into intakes (id, facility, external_id, lane, today, answers, identity, mrn_hash, patient_hash,
        birth_date_hash, body_hash, request_id, traceparent)
    select id, facility, external_id, lane, today, answers, identity, mrn_hash, patient_hash, birth_date_hash,
        body_hash, request_id, traceparent
    from line where idempotency_key is null or id in (select intake_id from named)
    order by external_id, id
    on conflict do nothing
    returning id, received_at
""")


def add_all(session: Session, lines: Sequence[NamedIntake]) -> dict[UUID, Receipt]:
    """Store those of `lines` whose names are free; return their receipts by id. None of them amends another intake.

    No name may stand in two lines. Raises NameTakenError, and nothing is stored, where an external id was free and then
    was not, while its key was named already.
    """
    content = orjson.dumps(lines, default=_bytea).decode()
    with naming():
        added = session.execute(_ADD_ALL, {"lines": content, "kept": KEYS_ARE_KEPT})
    by_id = {line.new.id: line.new for line in lines}
    return {row.id: receipt(by_id[row.id], row.received_at) for row in added}


def _bytea(value: bytes) -> str:
    return f"\\x{value.hex()}"
