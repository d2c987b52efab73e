"""Makes a new version of a form that is a referral already, and triages it at once, by the code of the workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import orjson
import structlog
from flask import g
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from services.api.access.actor import event_actor
from services.api.context import AppContext
from services.api.forms.screening import choose_lane
from services.api.http.problems import ProblemError
from services.api.referrals.answering.requests import Answers
from services.api.schemas.patients import identity_of
from shared.clinical.fields import Field
from shared.clinical.form import Form
from shared.clinical.triage import triage
from shared.monitoring.triage_metrics import count_decision
from shared.platform.crypto import keyed_hash
from shared.store import intakes
from shared.store.answers import HeldCase, SourceForm, source_form, supersede_by_answers
from shared.store.event_log.events import DueDelivery
from shared.store.intakes import NewIntake
from shared.store.triage_outcome import outcome_of, rules
from shared.store.triage_queue import TriageOutcome, WaitingIntake
from shared.store.versions import Versions

log = structlog.get_logger(__name__)

COMPLETED_BY = "completed_by"


@dataclass(frozen=True, slots=True)
class FormChange:
    """What a new version says otherwise: the form as it reads then, answers for the sealed identity, and who says so.

    `data` is what its event says.
    """

    form: Form
    by: str
    data: Mapping[str, Any]
    identity: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """The referral of a new version, as it was stored, and what is to be delivered of it."""

    outcome: TriageOutcome
    due: list[DueDelivery]


def change_of(source: SourceForm, answers: Answers, *, by: str, note: str | None) -> FormChange:
    """Return what `answers` change in a form: a clinician has completed it then, unless they say who did."""
    form = Form.of(source.answers)
    clinical = {COMPLETED_BY: "clinician"} | {each.name: value for each, value in _kept(answers, "answer")}
    read = {name: value for name, value in {**form.answers, **clinical}.items() if value is not None}
    data = {"fields": answers.paths} | ({"note": note} if note else {})
    identity = {each.name: value for each, value in _kept(answers, "identity")}
    return FormChange(replace(form, answers=read), by, data, identity)


def make_version(context: AppContext, session: Session, case: HeldCase, change: FormChange) -> NewVersion:
    """Store the new version of the case's form and triage it in this transaction: both are there, or neither is."""
    source = source_form(session, case.referral.intake_id)
    new = _intake(context, source, change)
    receipt = intakes.add(session, new, None)
    waiting = WaitingIntake(
        id=new.id,
        facility=new.facility,
        lane=new.lane,
        received_at=receipt.received_at,
        answers=new.answers,
        attempts=1,
        request_id=new.request_id,
        traceparent=new.traceparent,
        first_version=case.first,
        waited=0.0,
    )
    targets, holidays = context.protocol.targets, context.settings.holidays
    outcome = outcome_of(waiting, _decided(context, change.form, new.id), targets, holidays)
    event = {"by": change.by, "data": change.data, "actor": event_actor()}
    versions = Versions(targets, holidays)
    placed, due = supersede_by_answers(session, case, outcome, versions, event, cipher=context.cipher)
    return NewVersion(placed, due)


def count_and_log(made: NewVersion) -> None:
    """Count and log a new version that is stored, as the workers do with what they triage."""
    outcome = made.outcome
    count_decision(outcome)
    place = {"queue": outcome.queue, "priority": outcome.priority, "rules": rules(outcome)}
    log.info("triage.stored", intake_id=str(outcome.intake.id), lane=outcome.intake.lane, **place)


def _kept(answers: Answers, keep: str) -> list[tuple[Field, Any]]:
    return [(each, value) for each, value in answers.given if each.keep == keep]


def _intake(context: AppContext, source: SourceForm, change: FormChange) -> NewIntake:
    intake_id = uuid7()
    return NewIntake(
        id=intake_id,
        facility=source.facility,
        external_id=None,
        external_id_hash=None,
        external_id_sealed=None,
        amends=source.id,
        lane=choose_lane(context, change.form),
        today=source.today,
        answers=change.form.record(),
        identity=_resealed(context, source, change.identity, intake_id),
        mrn_hash=source.mrn_hash,
        patient_hash=source.patient_hash,
        birth_date_hash=source.birth_date_hash,
        body_hash=keyed_hash(context.settings.lookup_key, orjson.dumps(["version", str(intake_id)])),
        request_id=g.request_id,
        traceparent=g.traceparent,
    )


def _resealed(context: AppContext, source: SourceForm, changed: Mapping[str, Any], intake_id: UUID) -> bytes:
    """Return the identity of a form, sealed for its new version.

    One that does not open is copied as it is, and as unreadable there: the answers are not lost for it. Only what
    would have to be put into it is refused, with ProblemError 409.
    """
    identity = identity_of(context.cipher, source.identity, source.id)
    if identity is None and changed:
        raise ProblemError(
            409,
            "The identity cannot be read, so nothing can be added to it. Correct it first.",
            kind="identity-unreadable",
        )
    if identity is None:
        return source.identity
    kept = {name: value for name, value in {**identity, **changed}.items() if value is not None}
    return context.cipher.seal(orjson.dumps(kept), row=str(intake_id))


def _decided(context: AppContext, form: Form, intake_id: UUID) -> dict[str, Any] | None:
    """Return the record of the decision; None where triage fails: then a person decides, as where a worker fails."""
    try:
        return triage(form, context.protocol).record()
    except Exception as error:  # noqa: BLE001 - whatever a form raises, what was answered is not lost
        log.error("triage.failed", intake_id=str(intake_id), error=type(error).__name__)
        return None
