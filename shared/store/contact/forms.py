"""The form of a referral, and the record of who read it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table as SqlTable
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope
from shared.store.event_log.events import FORM_READ, append_events
from shared.tables import Decision, Intake, Referral


@dataclass(frozen=True, slots=True)
class StoredForm:
    """What was sent with a referral's intake; `protocol_version` is the one that decided, None if triage failed."""

    referral_id: UUID
    intake_id: UUID
    answers: dict[str, Any]
    identity: bytes
    protocol_version: str | None
    patient: bytes


_REFERRAL, _INTAKE, _DECISION = (cast(SqlTable, each.__table__).c for each in (Referral, Intake, Decision))
_FORM = (
    select(
        *(_REFERRAL.id, _REFERRAL.intake_id, _INTAKE.answers, _INTAKE.identity, _DECISION.protocol_version),
        func.coalesce(_INTAKE.patient_hash, _INTAKE.mrn_hash),
    )
    .join(Intake.__table__, _INTAKE.id == _REFERRAL.intake_id)
    .outerjoin(Decision.__table__, _DECISION.intake_id == _REFERRAL.intake_id)
)


def find(session: Session, referral_id: UUID, scope: Scope) -> StoredForm | None:
    """Return the form of a referral, if `scope` sees it."""
    row = session.execute(_FORM.where(_REFERRAL.id == referral_id, *scope.referrals())).one_or_none()
    return StoredForm(*row) if row else None


def find_all(session: Session, referral_ids: Collection[UUID]) -> dict[UUID, StoredForm]:
    """Return the forms of these referrals; whether they may be seen is for the caller to say."""
    found = [StoredForm(*row) for row in session.execute(_FORM.where(_REFERRAL.id.in_(referral_ids)))]
    return {each.referral_id: each for each in found}


def record_reading(session: Session, form: StoredForm, *, actor: Mapping[str, Any], by: str | None = None) -> None:
    """Add the event that the form was read, and by whom; nothing of the form.

    `by` is the name that was typed at sign-in, where the key is no person's.
    """
    event = {
        "type": FORM_READ,
        "referral_id": form.referral_id,
        "intake_id": form.intake_id,
        "by": actor["person"] or by,
        "data": {"key_id": actor["key_id"]},
        "actor": dict(actor),
    }
    append_events(session, [event])
