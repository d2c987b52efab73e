"""Erases identities and free text of a case, or removes the case; its events stay, and their chain stays verifiable.

A case is a form with all its versions. What people wrote stands sealed beside its events, and is deleted there. Where
an earlier release wrote it into an event, that loses those members of its data, and where the case is removed all of
them; the digest of what is left is kept, so that a later change of it shows.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.platform.crypto import ERASED
from shared.store.chain_locks import lock_identity
from shared.store.event_log.erased import rest_of, without
from shared.store.event_log.texts import words_of

HASH_BYTES = 32

_ERASING = text("set local psoas.erasing = 'on'")
_VERSIONS = text("select id from intakes where id = :first or first_version = :first order by id for update")
_OF_VERSIONS = text("select id from referrals where intake_id = any(:ids) order by id for update")
_IDENTITIES = text("""
    update intakes set identity = :erased, mrn_hash = given.hash, patient_hash = given.hash, birth_date_hash = null,
        external_id = null, external_id_hash = null, external_id_sealed = null, identity_erased_at = now()
    from unnest(cast(:ids as uuid[]), cast(:hashes as bytea[])) as given (id, hash) where intakes.id = given.id
""")
_REFERRALS = text("""
    update referrals set mrn_hash = given.hash, patient_hash = given.hash
    from unnest(cast(:ids as uuid[]), cast(:hashes as bytea[])) as given (id, hash) where intake_id = given.id
""")
_CORRECTIONS = text(
    "update identity_corrections set before = :erased, after = :erased, reason = :erased where intake_id = any(:ids)"
)
_TEXTS = text("delete from event_texts where referral_id = any(:referrals)")
_EVENTS = text("""
    select events.id, number, type, events.at, referral_id, intake_id, by, data, actor from events
    where referral_id = any(:referrals) and number is not null
""")
_DATA = text("""
    update events set data = cast(given.data as jsonb)
    from unnest(cast(:ids as bigint[]), cast(:data as text[])) as given (id, data) where events.id = given.id
""")
_RECORD = text("""
    insert into event_erasures (event_id, run_id, rest)
    select id, cast(:run as uuid), rest from unnest(cast(:ids as bigint[]), cast(:rests as bytea[])) as given (id, rest)
    on conflict (event_id) do update set run_id = excluded.run_id, at = now(), rest = excluded.rest
""")
_REMOVED = tuple(
    map(
        text,
        (
            """
                delete from delivery_attempts where delivery_id in (
                    select id from deliveries where referral_id = any(:referrals)
                )
            """,
            "delete from deliveries where referral_id = any(:referrals)",
            "delete from referral_seals where referral_id = any(:referrals)",
            "delete from identity_corrections where intake_id = any(:ids)",
            "delete from decisions where intake_id = any(:ids)",
            "delete from referrals where id = any(:referrals)",
            "delete from idempotency_keys where intake_id = any(:ids)",
            "delete from intakes where id = any(:ids)",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Case:
    """A case whose rows are locked: the ids of its intakes and of their referrals."""

    first: UUID
    intakes: Sequence[UUID]
    referrals: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Record:
    """How an erasure of events is recorded: of which run, and by CHAIN_KEY."""

    run: UUID
    key: bytes = field(repr=False)


def lock_case(session: Session, first: UUID) -> Case:
    """Keep others from changing a case until the transaction ends."""
    lock_identity(session, first)
    intakes = session.scalars(_VERSIONS, {"first": first}).all()
    return Case(first, intakes, session.scalars(_OF_VERSIONS, {"ids": intakes}).all())


def erase_identity(session: Session, case: Case, record: Record) -> None:
    """Erase identities, their corrections and free text; what is clinical stays, and nothing says of whom it is."""
    session.execute(_TEXTS, {"referrals": case.referrals})
    _erase_events(session, case, record, whole=False)
    # One random hash for the case: its versions still belong together, and no number is found by it.
    hashes = [secrets.token_bytes(HASH_BYTES)] * len(case.intakes)
    session.execute(_IDENTITIES, {"ids": case.intakes, "hashes": hashes, "erased": ERASED})
    session.execute(_REFERRALS, {"ids": case.intakes, "hashes": hashes})
    session.execute(_CORRECTIONS, {"ids": case.intakes, "erased": ERASED})


def remove_case(session: Session, case: Case, record: Record) -> None:
    """Remove a case, all but its events, which lose all their data."""
    session.execute(_TEXTS, {"referrals": case.referrals})
    _erase_events(session, case, record, whole=True)
    for statement in _REMOVED:
        session.execute(statement, {"ids": case.intakes, "referrals": case.referrals})


def _erase_events(session: Session, case: Case, record: Record, *, whole: bool) -> None:
    found = session.execute(_EVENTS, {"referrals": case.referrals}).all()
    shorter = [(row, without(row.data, None if whole else words_of(row.type, row.by, row.data))) for row in found]
    shorter = [(row, data) for row, data in shorter if data != row.data]
    if not shorter:
        return
    session.execute(_ERASING)
    ids = [row.id for row, _ in shorter]
    session.execute(_DATA, {"ids": ids, "data": [orjson.dumps(data).decode() for _, data in shorter]})
    # number, type, at, referral, intake, by, data, actor
    rests = [rest_of(record.key, *row[1:7], data, row.actor) for row, data in shorter]
    session.execute(_RECORD, {"ids": ids, "rests": rests, "run": record.run})
