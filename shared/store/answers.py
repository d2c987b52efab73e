"""The answers of the form of a referral."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope
from shared.tables import Intake, Referral


def answers_of(connection: Connection | Session, referral_id: UUID, scope: Scope) -> dict[str, Any] | None:
    """Return the record of the form of a referral, None where `scope` does not see it."""
    found = select(Intake.answers).join(Referral, Referral.intake_id == Intake.id)
    answers: dict[str, Any] | None = connection.scalar(found.where(Referral.id == referral_id, *scope.referrals()))
    return answers
