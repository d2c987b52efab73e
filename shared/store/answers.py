"""Answers to a form that is a referral already: the new version, and the confirmation that it ranks lower.

Both hold the lock of the chain, as triage of a version does, and are one transaction with what they store. An identity
is copied while nobody corrects it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from shared.clinical.referral.answered import answered
from shared.clinical.referral.versions import Settlement, Version
from shared.platform.crypto import IdentityCipher
from shared.platform.task_queues import Lane
from shared.store import referrals
from shared.store.access.scope import Scope
from shared.store.event_log.events import DueDelivery, append_events
from shared.store.patients import identities
from shared.store.referrals import StoredReferral
from shared.store.triage_queue import TriageOutcome, finish
from shared.store.versions import Versions, locked_chain, supersede, version_of
from shared.tables import Intake, Referral


@dataclass(frozen=True, slots=True)
class SourceForm:
    """The form of which a new version is made, without what names it: a new version has names of its own."""

    id: UUID
    facility: str
    lane: Lane
    today: date
    answers: dict[str, Any]
    identity: bytes
    mrn_hash: bytes
    patient_hash: bytes | None
    birth_date_hash: bytes | None


@dataclass(frozen=True, slots=True)
class HeldCase:
    """A referral, and the chain of versions that it belongs to, which others cannot change meanwhile."""

    referral: StoredReferral
    first: UUID
    chain: Sequence[Version]

    def version(self, referral_id: UUID) -> Version:
        """Return a referral as one version of the chain."""
        return next(each for each in self.chain if each.referral_id == referral_id)

    @property
    def open(self) -> Version | None:
        """Return the version that is worked on, None where the case has ended."""
        return next((each for each in self.chain if each.is_open), None)


def answers_of(connection: Connection | Session, referral_id: UUID, scope: Scope) -> dict[str, Any] | None:
    """Return the record of the form of a referral, None where `scope` does not see it."""
    found = select(Intake.answers).join(Referral, Referral.intake_id == Intake.id)
    answers: dict[str, Any] | None = connection.scalar(found.where(Referral.id == referral_id, *scope.referrals()))
    return answers


def hold_case(session: Session, referral_id: UUID, scope: Scope) -> HeldCase | None:
    """Return the case of a referral, and keep others from changing it until the transaction ends; None if unseen."""
    first = identities.share_chain(session, referral_id, scope)
    if first is None:
        return None
    chain = locked_chain(session, first)
    stored = referrals.find(session, referral_id, scope)  # after the lock: it may have left the caller's queues
    return HeldCase(stored, first, chain) if stored else None


def source_form(session: Session, intake_id: UUID) -> SourceForm:
    """Return the form to be copied."""
    columns = (getattr(Intake, each.name) for each in fields(SourceForm))
    return SourceForm(*session.execute(select(*columns).where(Intake.id == intake_id)).one())


def supersede_by_answers(
    session: Session,
    case: HeldCase,
    outcome: TriageOutcome,
    versions: Versions,
    event: Mapping[str, Any],
    *,
    cipher: IdentityCipher,
) -> tuple[TriageOutcome, list[DueDelivery]]:
    """Store the referral of the new version in the place of the case's own; return it as it was placed.

    `event` has `by`, `actor` and `data` of what the new version's timeline says; `cipher` seals its words.
    """
    before = case.version(case.referral.id)
    survivor = answered(version_of(outcome), before, moved=_moved(case.referral.record, outcome.record))
    settled = Settlement(survivor, [each for each in case.chain if each.is_open])
    placed = versions.placed(outcome, settled)
    due = finish(session, [placed], actor=event["actor"])
    if survivor.status == "acknowledged":
        session.execute(
            update(Referral)
            .where(Referral.id == survivor.referral_id)
            .values(
                status="acknowledged",
                acknowledged_by=case.referral.acknowledged_by,
                acknowledged_at=case.referral.acknowledged_at,
            )
            .execution_options(synchronize_session=False)
        )
    names = {"referral_id": survivor.referral_id, "intake_id": survivor.intake_id}
    due += supersede(session, settled.superseded, survivor.referral_id, actor=event["actor"])
    return placed, due + append_events(session, [{"type": "referral.answered", **names, **event}], cipher=cipher)


def put_in_own_place(
    session: Session,
    case: HeldCase,
    own: TriageOutcome,
    event: Mapping[str, Any],
    *,
    cipher: IdentityCipher,
) -> list[DueDelivery]:
    """Move the referral to where its own form alone puts it; no earlier version has a say from now on.

    `event` has `by`, `actor` and the `reason`, which `cipher` seals.
    """
    stored, before = case.referral, case.version(case.referral.id)
    earlier = [each.referral_id for each in case.chain if each.referral_id != stored.id and not each.is_open]
    session.execute(
        update(Referral)
        .where(Referral.id.in_(earlier))
        .values(counts=False)
        .execution_options(synchronize_session=False)
    )
    values = {
        "queue": own.queue,
        "priority": version_of(own).rank,
        "status": "queued",
        "acknowledged_by": None,
        "acknowledged_at": None,
        "acknowledge_by": own.acknowledge_by,
        "clock_started_at": own.clock_started_at,
        "escalation_level": 0,
        "escalate_at": own.escalate_at,
        "downgrade_proposed": False,
        "contact_by": own.contact_by,
        "contact_overdue_at": before.contact_overdue_at if own.contact_by == before.contact_by else None,
        "imaging_due": own.imaging_due,
    }
    data = {"from": stored.queue, "to": own.queue, "priority": own.priority, "reason": event["reason"]}
    confirmed = {"type": "referral.downgrade_confirmed", "by": event["by"], "data": data, "actor": event["actor"]}
    return referrals.change(session, stored, values, confirmed, cipher=cipher)


def _moved(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    """Tell whether the new form alone goes elsewhere than the one before; a failed triage goes to a person."""
    places = [record and (record["queue"], record["priority"]) for record in (before, now)]
    return None in places or places[0] != places[1]
