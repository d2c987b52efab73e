"""Schemas of an intake: as received, and as triaged."""

from marshmallow import fields

from services.api.schemas.decisions import DecisionSchema, Note
from services.api.schemas.members import Links, ResponseSchema, listed, moment, nested, one_of, reference, string
from services.api.schemas.referrals import Completed, Returned
from shared.clinical.referral.lifecycle import QUEUES, STATUSES
from shared.platform.task_queues import LANES
from shared.tables import INTAKE_STATUSES


class Received(ResponseSchema):
    """An intake that is stored and still to be triaged."""

    id = fields.UUID(required=True)
    external_id = string("The sender's own id.", allow_none=True)
    status = one_of(("received",))
    lane = one_of(LANES)
    received_at = moment()
    notes = listed(Note, "What in the form is read otherwise than it was sent.")
    links = nested(Links)


class ReferralOfIntake(ResponseSchema):
    """The referral that an intake became."""

    id = fields.UUID(required=True)
    reference = reference()
    queue = one_of(QUEUES)
    status = one_of(STATUSES)
    returned = nested(Returned, allow_none=True)
    completed = nested(Completed, allow_none=True)
    links = nested(Links)


class Intake(ResponseSchema):
    """An intake with its decision and referral. A failed triage has a referral and no decision."""

    id = fields.UUID(required=True)
    external_id = string("The sender's own id.", allow_none=True)
    amends = fields.UUID(
        required=True, allow_none=True, metadata={"description": "The intake of which this is a new version."}
    )
    facility = string()
    status = one_of(INTAKE_STATUSES)
    lane = one_of(LANES)
    received_at = moment()
    triaged_at = moment(allow_none=True)
    notes = listed(Note, "What in the form is read otherwise than it was sent.")
    decision = nested(DecisionSchema, allow_none=True)
    referral = nested(ReferralOfIntake, allow_none=True)


class Intakes(ResponseSchema):
    """A page of a facility's intakes, the newest first."""

    intakes = listed(Intake)
    next = string("The cursor of the next page; null on the last.", allow_none=True)
