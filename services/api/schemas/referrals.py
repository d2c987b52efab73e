"""Schemas of a referral, of a page of referrals, and of its timeline."""

from marshmallow import fields

from services.api.schemas.decisions import DecisionSchema, Imaging
from services.api.schemas.members import Links, ResponseSchema, listed, moment, nested, one_of, reference, string
from shared.clinical.referral.lifecycle import CONTACT_ENDINGS, OPEN_STATUSES, PRIORITIES, QUEUES, STATUSES

DUPLICATES = (
    "Other open referrals of the same patient and facility, received within 14 days; at most 20, the newest, oldest "
    "first. Empty once the referral itself is closed."
)

PATIENT = "Null for the role `submitter`, and where `identity_unreadable` is true."


class Patient(ResponseSchema):
    """Whose referral it is."""

    mrn = string()
    name = string("Given and family name, or null.", allow_none=True)
    birth_date = fields.Date(required=True)
    sex_at_birth = string(allow_none=True)


class Acknowledged(ResponseSchema):
    """Who said: we have it."""

    by = string()
    at = moment()


class Returned(ResponseSchema):
    """With which advice it went back to the referrer."""

    by = string()
    at = moment()
    reason = string()


class Completed(ResponseSchema):
    """What came of it."""

    by = string()
    at = moment()
    outcome = string()


class Contacted(ResponseSchema):
    """Who ended the clock of the contact, and how."""

    by = string()
    at = moment()
    outcome = one_of(CONTACT_ENDINGS)


class DueImaging(Imaging):
    """One recommended study, with when it is due."""

    due_by = fields.AwareDateTime(
        allow_none=True, metadata={"description": "By the clock, from receipt; null has no limit. Since 2026.2.0."}
    )


class ReferralLinks(ResponseSchema):
    """Where the referral, its intake and its timeline are read."""

    self = string()
    intake = string()
    events = string()
    supersedes = string("The referral of the form that this one's amends; null if it supersedes none.", allow_none=True)
    superseded_by = string("The referral of a newer version of the form; null if there is none.", allow_none=True)


class Duplicate(ResponseSchema):
    """An open referral of the same patient and facility, also in a queue that the caller's key does not name."""

    id = fields.UUID(required=True)
    queue = one_of(QUEUES)
    status = one_of(OPEN_STATUSES)
    created_at = moment()
    links = nested(Links)


class Referral(ResponseSchema):
    """The routed unit of work. A recommendation to a clinician, never a diagnosis or an order."""

    id = fields.UUID(required=True)
    reference = reference()
    intake_id = fields.UUID(required=True)
    facility = string()
    queue = one_of(QUEUES)
    priority = one_of(PRIORITIES)
    status = one_of(STATUSES)
    pattern = string("The decision's, or `triage_failed`.")
    headline = string()
    red_flags = listed(fields.String())
    imaging = listed(DueImaging)
    patient = nested(Patient, allow_none=True, metadata={"description": PATIENT})
    identity_unreadable = fields.Boolean(
        required=True,
        metadata={
            "description": "The identity is damaged, or its key is missing: `patient` is null, nothing else fails."
        },
    )
    created_at = moment()
    acknowledge_by = moment("Counted from receipt.")
    overdue = fields.Boolean(required=True, metadata={"description": "Nobody has acknowledged in time."})
    contact_by = moment("By when a clinician speaks to the patient or referrer; null is never.", allow_none=True)
    ambulance = fields.Boolean(metadata={"description": "Call an ambulance at once. Since 2026.2.0."})
    contacted = nested(Contacted, allow_none=True)
    contact_overdue = fields.Boolean(
        required=True, metadata={"description": "Open, `contacted` is null, and `contact_by` has passed."}
    )
    escalation_level = fields.Integer(required=True)
    downgrade_proposed = fields.Boolean(
        required=True,
        metadata={"description": "It keeps the place of an earlier version; its own form alone would rank lower."},
    )
    acknowledged = nested(Acknowledged, allow_none=True)
    returned = nested(Returned, allow_none=True)
    completed = nested(Completed, allow_none=True)
    decision = nested(DecisionSchema, allow_none=True)
    duplicates = listed(Duplicate, description=DUPLICATES)
    links = nested(ReferralLinks)


class Worklist(ResponseSchema):
    """A page of a queue, most pressing first."""

    referrals = listed(Referral)
    next = string("The cursor of the next page; null on the last.", allow_none=True)


class EventActor(ResponseSchema):
    """Through which key a person did it, from where, and in which request; null where the service itself did it."""

    key_id = string()
    person = string("Whose key it is; null where it is no person's.", allow_none=True)
    role = string()
    address = string()
    request_id = string()


class Event(ResponseSchema):
    """One thing that happened to a referral."""

    id = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "Its place among all events, from 1 without gaps; null for a moment before it has one."
        },
    )
    type = string()
    at = moment()
    referral_id = fields.UUID(required=True)
    reference = reference()
    intake_id = fields.UUID(required=True)
    by = string(allow_none=True)
    data = fields.Dict(keys=fields.String(), required=True)
    actor = fields.Nested(
        EventActor, allow_none=True, metadata={"description": "In the feed, for auditors and admins alone."}
    )


class Timeline(ResponseSchema):
    """A page of what happened to a referral, oldest first."""

    events = listed(Event)
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Ask for what is `after` this next; null on the last page."},
    )
