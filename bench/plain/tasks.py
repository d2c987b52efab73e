"""The ordinary worker: a task and a transaction for each intake."""

from datetime import date
from uuid import UUID

from celery import Celery
from sqlalchemy import func
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from shared.clinical.form import Form
from shared.clinical.referral.lifecycle import PRIORITIES, acknowledge_by
from shared.clinical.triage import triage
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.protocols import active
from shared.tables import Decision, Event, Intake, Referral

TRIAGE_TASK = "triage_intake"


def create_celery(settings: Settings, sessions: Sessions) -> Celery:
    """Return the Celery application; the API publishes with it, the worker runs it."""
    app = Celery("plain", broker=settings.broker_url)
    app.conf.task_ignore_result = True

    @app.task(name=TRIAGE_TASK, shared=False)
    def triage_intake(intake_id: str) -> None:
        with sessions.begin() as session:
            intake = session.get_one(Intake, UUID(intake_id), with_for_update=True)
            if intake.status == "received":
                _triage(session, intake, settings.holidays)

    return app


def _triage(session: Session, intake: Intake, holidays: frozenset[date]) -> None:
    protocol = active()
    decision = triage(Form.of(intake.answers), protocol)
    record = decision.record()
    referral = Referral(
        id=uuid7(),
        intake_id=intake.id,
        facility=intake.facility,
        queue=decision.queue,
        priority=PRIORITIES.index(decision.priority),
        pattern=decision.pattern,
        headline=decision.headline,
        red_flags=record["red_flags"],
        acknowledge_by=acknowledge_by(decision.priority, intake.received_at, protocol.targets, holidays=holidays),
    )
    session.add(Decision(intake_id=intake.id, record=record, protocol_version=record["protocol"]["version"]))
    session.add(referral)
    intake.status, intake.triaged_at = "triaged", func.now()
    session.flush()  # the event names the referral
    queued = {"queue": decision.queue, "priority": decision.priority, "red_flags": record["red_flags"]}
    session.add(Event(type="referral.queued", referral_id=referral.id, intake_id=intake.id, data=queued))
