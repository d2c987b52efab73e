"""Identities of a chain of forms: compared before a form amends another, and corrected in all of its versions at once.

An amendment shares the advisory lock of the chain, a correction takes it alone (shared/store/chain_locks.py). So a form
is compared with the identity that its chain has when the form is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, func, insert, select, update
from sqlalchemy.orm import Session, aliased
from uuid_utils.compat import uuid7

from shared.store.access.scope import Scope
from shared.store.chain_locks import lock_identity, lock_referrals, share_identity
from shared.store.event_log.events import DueDelivery, append_events
from shared.tables import IdentityCorrection, Intake, Referral

_FIRST = func.coalesce(Intake.first_version, Intake.id)


@dataclass(frozen=True, slots=True)
class KeptIdentity:
    """The identity of an intake, sealed, with the hashes by which it is compared, and the day of its form."""

    intake_id: UUID
    facility: str
    today: date
    identity: bytes
    mrn_hash: bytes
    patient_hash: bytes | None
    birth_date_hash: bytes | None


@dataclass(frozen=True, slots=True)
class Correction:
    """The new identity of an intake, sealed, with its hashes; `fields` names what changed, `reason` is sealed."""

    before: KeptIdentity
    fields: Sequence[str]
    identity: bytes
    mrn_hash: bytes
    patient_hash: bytes | None
    birth_date_hash: bytes | None
    id: UUID
    reason: bytes


_KEPT = select(*(getattr(Intake, "id" if each.name == "intake_id" else each.name) for each in fields(KeptIdentity)))


def amended(connection: Connection | Session, facility: str, intake_id: UUID) -> KeptIdentity | None:
    """Return the identity of an intake of `facility`; until the transaction ends it is not corrected."""
    first = connection.scalar(select(_FIRST).where(Intake.id == intake_id, Intake.facility == facility))
    if first is None:
        return None
    share_identity(connection, first)
    return KeptIdentity(*connection.execute(_KEPT.where(Intake.id == intake_id)).one())


def share_chain(session: Session, referral_id: UUID, scope: Scope) -> UUID | None:
    """Return the first intake of a referral's chain; until the transaction ends no identity of it is corrected.

    None where `scope` does not see the referral. To be called before anything of the chain is locked.
    """
    seen = select(_FIRST).join(Referral, Referral.intake_id == Intake.id)
    first = session.scalar(seen.where(Referral.id == referral_id, *scope.referrals()))
    if first is not None:
        share_identity(session, first)
    return first


def hold_chain(session: Session, referral_id: UUID, scope: Scope) -> list[KeptIdentity]:
    """Return the identities of all versions of a referral's form, and keep others from changing or adding one.

    Empty where `scope` does not see the referral. To be called before the referral itself is locked.
    """
    seen = select(_FIRST).join(Referral, Referral.intake_id == Intake.id)
    first = session.scalar(seen.where(Referral.id == referral_id, *scope.referrals()))
    if first is None:
        return []
    lock_identity(session, first)
    lock_referrals(session, first)
    chain = _KEPT.where((Intake.id == first) | (Intake.first_version == first)).order_by(Intake.id)
    return [KeptIdentity(*row) for row in session.execute(chain.with_for_update(key_share=True))]


def correct(
    session: Session, corrections: Sequence[Correction], *, by: str, actor: Mapping[str, Any]
) -> list[DueDelivery]:
    """Store the corrections in intakes, referrals and the history; return what is to be delivered of their events.

    The form stays as it was read, its age too: one with another age is a new version of it.
    """
    events: list[dict[str, Any]] = []
    for each in corrections:
        hashes = {"mrn_hash": each.mrn_hash, "patient_hash": each.patient_hash}
        intake = update(Intake).where(Intake.id == each.before.intake_id).execution_options(synchronize_session=False)
        session.execute(intake.values(identity=each.identity, birth_date_hash=each.birth_date_hash, **hashes))
        referral = (
            update(Referral)
            .where(Referral.intake_id == each.before.intake_id)
            .values(version=Referral.version + 1, **hashes)
            .execution_options(synchronize_session=False)
            .returning(Referral.id)
        )
        session.execute(insert(IdentityCorrection).values({**_history(each), "by": by, "key_id": actor["key_id"]}))
        data = {"fields": list(each.fields)}
        happened = {"type": "referral.identity_corrected", "by": by, "data": data, "actor": dict(actor)}
        events += [
            {"referral_id": referral_id, "intake_id": each.before.intake_id, **happened}
            for referral_id in session.scalars(referral)
        ]
    return append_events(session, events)


def new_correction_id() -> UUID:
    """Return an id for a correction: its reason is sealed for it."""
    return uuid7()


def reason_row(correction_id: UUID) -> str:
    """Return the name of the row for which the reason of a correction is sealed."""
    return f"correction:{correction_id}"


@dataclass(frozen=True, slots=True)
class Corrected:
    """One correction as the history keeps it."""

    id: UUID
    intake_id: UUID
    at: datetime
    by: str
    fields: Sequence[str]
    reason: bytes
    before: bytes
    after: bytes


def history(
    connection: Connection | Session, referral_id: UUID, scope: Scope, *, after: UUID | None, limit: int
) -> list[Corrected] | None:
    """Return the corrections of a referral's identity, oldest first; None if `scope` does not see the referral.

    Those of earlier versions of its form are among them: a corrected birth date makes a version that was never wrong.
    """
    seen = select(Intake.id, _FIRST).join(Referral, Referral.intake_id == Intake.id)
    asked = connection.execute(seen.where(Referral.id == referral_id, *scope.referrals())).one_or_none()
    if asked is None:
        return None
    intake_id, first = asked
    chain = select(Intake.id).where((Intake.id == first) | (Intake.first_version == first), Intake.id <= intake_id)
    kept, later = IdentityCorrection, aliased(IdentityCorrection)
    # One correction has a row for each version that there was: the row of the newest of them tells of it.
    told = exists().where(later.intake_id.in_(chain), later.intake_id > kept.intake_id)
    told = told.where(later.at == kept.at, later.by == kept.by)
    found = select(*(getattr(kept, each.name) for each in fields(Corrected))).where(kept.intake_id.in_(chain), ~told)
    found = found.order_by(kept.id).limit(limit)
    return [Corrected(*row) for row in connection.execute(found if after is None else found.where(kept.id > after))]


def _history(each: Correction) -> dict[str, Any]:
    return {
        "id": each.id,
        "intake_id": each.before.intake_id,
        "fields": list(each.fields),
        "reason": each.reason,
        "before": each.before.identity,
        "after": each.identity,
    }
