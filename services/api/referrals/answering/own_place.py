"""The place that the form of a referral has by itself, whatever earlier versions of it said."""

from services.api.context import AppContext
from shared.store.answers import HeldCase, SourceForm
from shared.store.triage_outcome import outcome_of
from shared.store.triage_queue import TriageOutcome, WaitingIntake


def own_place(context: AppContext, source: SourceForm, case: HeldCase) -> TriageOutcome:
    """Return what the stored decision of a referral makes of its form: queue, priority and times, from its receipt."""
    waiting = WaitingIntake(
        id=source.id,
        facility=source.facility,
        lane=source.lane,
        received_at=case.version(case.referral.id).received_at,
        answers=source.answers,
        attempts=0,
        request_id="",
        traceparent=None,
        first_version=case.first,
        waited=0.0,
    )
    return outcome_of(waiting, case.referral.record, context.protocol.targets, context.settings.holidays)
