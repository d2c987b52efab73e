"""The shapes of answers, for the OpenAPI document and whoever generates a client from it."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from services.api.problems import MOST_ERRORS
from shared.clinical.lifecycle import PRIORITIES, QUEUES, STATUSES
from shared.tables import INTAKE_STATUSES
from shared.task_queues import LANES

FORM = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Form"}}}, "required": True}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 255 visible characters. The same key with the same body leads to the same intake for 7 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
PREFER = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=<seconds>`: answer after triage, or when the time is up; at most 30 seconds (RFC 7240).",
    "schema": {"type": "string"},
    "example": "wait=5",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the referral as it was read; 412 if it has changed since.",
    "schema": {"type": "string"},
}
QUEUE = {"name": "queue", "in": "path", "schema": {"type": "string", "enum": list(QUEUES)}}
_TEXT = {"type": "string"}
POSTED_HEADERS = {
    "Location": {"description": "Where the intake is read.", "schema": _TEXT},
    "Idempotency-Replayed": {"description": "`true` if the intake was stored earlier.", "schema": _TEXT},
    "Preference-Applied": {"description": "The wait that was applied.", "schema": _TEXT},
}
REFERRAL_HEADERS = {"ETag": {"description": "Strong; for If-Match.", "schema": _TEXT}}


def one_of(values: tuple[str, ...], **settings: Any) -> fields.String:
    """Return a text out of a list."""
    return fields.String(required=True, validate=validate.OneOf(values), **settings)


class Shape(Schema):
    """An answer; more may be added to it within a version."""

    class Meta:
        """Readers ignore what they do not know."""

        unknown = EXCLUDE


def string(description: str = "", **settings: Any) -> fields.String:
    """Return a text that is always there, and may be null where `allow_none` says so."""
    return fields.String(required=True, metadata={"description": description} if description else None, **settings)


def moment(description: str = "", **settings: Any) -> fields.AwareDateTime:
    """Return a time in UTC."""
    metadata = {"description": description} if description else None
    return fields.AwareDateTime(required=True, metadata=metadata, **settings)


def nested(schema: type[Schema], **settings: Any) -> fields.Nested:
    """Return an object that is always there."""
    return fields.Nested(schema, required=True, **settings)


def listed(inner: fields.Field[Any] | type[Schema]) -> fields.List[Any]:
    """Return a list of texts or objects."""
    of = fields.Nested(inner) if isinstance(inner, type) else inner
    return fields.List(of, required=True)


class Links(Shape):
    """Where the same thing is read again."""

    self = string()


class Imaging(Shape):
    """One recommended study."""

    study = string()
    within = string()
    text = string()
    loinc = string("The code that names no side, or null.", allow_none=True)
    because = listed(fields.String())


class Reason(Shape):
    """A rule that fired, with the answers that counted."""

    rule = string()
    flag = string(allow_none=True)
    origin = string()
    priority = string(allow_none=True)
    text = string()
    because = fields.Dict(keys=fields.String(), required=True)
    citation = string(allow_none=True)


class Undetermined(Shape):
    """A rule that could not be evaluated, and the answers that are missing for it."""

    rule = string()
    missing = listed(fields.String())


class Evidence(Shape):
    """How much speaks for each link of the chain."""

    nerve = fields.Integer(required=True)
    muscle = fields.Integer(required=True)
    joint = fields.Integer(required=True)


class ProtocolName(Shape):
    """The protocol that decided."""

    name = string()
    version = string()
    digest = string()


class Decision(Shape):
    """A recommendation to a clinician, never a diagnosis or an order."""

    queue = one_of(QUEUES)
    priority = one_of(PRIORITIES)
    red_flags = listed(fields.String())
    pattern = string()
    headline = string()
    suspected = string(allow_none=True)
    send_to = string(allow_none=True)
    imaging_status = one_of(("recommended", "not_indicated", "hold_for_review"))
    imaging = listed(Imaging)
    cautions = listed(fields.String())
    incomplete = fields.Boolean(required=True)
    evidence = nested(Evidence)
    reasons = listed(Reason)
    undetermined = listed(Undetermined)
    protocol = nested(ProtocolName)
    decided_at = moment()


class Preview(Shape):
    """What triage would decide; nothing was stored."""

    decision = nested(Decision)


class Received(Shape):
    """An intake that is stored and still to be triaged."""

    id = fields.UUID(required=True)
    external_id = string("The sender's own id.", allow_none=True)
    status = one_of(("received",))
    lane = one_of(LANES)
    received_at = moment()
    links = nested(Links)


class ReferralOfIntake(Shape):
    """The referral that an intake became."""

    id = fields.UUID(required=True)
    queue = one_of(QUEUES)
    status = one_of(STATUSES)
    links = nested(Links)


class Intake(Shape):
    """An intake with its decision and referral. A failed triage has a referral and no decision."""

    id = fields.UUID(required=True)
    external_id = string("The sender's own id.", allow_none=True)
    facility = string()
    status = one_of(INTAKE_STATUSES)
    lane = one_of(LANES)
    received_at = moment()
    triaged_at = moment(allow_none=True)
    decision = nested(Decision, allow_none=True)
    referral = nested(ReferralOfIntake, allow_none=True)


class Patient(Shape):
    """Whose referral it is."""

    mrn = string()
    name = string("Given and family name, or null.", allow_none=True)
    birth_date = fields.Date(required=True)
    sex_at_birth = string(allow_none=True)


class Acknowledged(Shape):
    """Who said: we have it."""

    by = string()
    at = moment()


class ReferralLinks(Shape):
    """Where the referral, its intake and its timeline are read."""

    self = string()
    intake = string()
    events = string()


class Referral(Shape):
    """The routed unit of work. A recommendation to a clinician, never a diagnosis or an order."""

    id = fields.UUID(required=True)
    intake_id = fields.UUID(required=True)
    facility = string()
    queue = one_of(QUEUES)
    priority = one_of(PRIORITIES)
    status = one_of(STATUSES)
    pattern = string("The decision's, or `triage_failed`.")
    headline = string()
    red_flags = listed(fields.String())
    imaging = listed(Imaging)
    patient = nested(Patient, allow_none=True, metadata={"description": "Null for the role `submitter`."})
    created_at = moment()
    acknowledge_by = moment("Counted from receipt.")
    overdue = fields.Boolean(required=True, metadata={"description": "Nobody has acknowledged in time."})
    escalation_level = fields.Integer(required=True)
    downgrade_proposed = fields.Boolean(required=True)
    acknowledged = nested(Acknowledged, allow_none=True)
    decision = nested(Decision, allow_none=True)
    links = nested(ReferralLinks)


class Worklist(Shape):
    """A page of a queue, most pressing first."""

    referrals = listed(Referral)
    next = string("The cursor of the next page; null on the last.", allow_none=True)


class ByPriority(Shape):
    """Open referrals of each priority."""

    emergency = fields.Integer(required=True)
    urgent = fields.Integer(required=True)
    prompt = fields.Integer(required=True)
    routine = fields.Integer(required=True)


class Queue(Shape):
    """How a queue stands."""

    name = one_of(QUEUES)
    label = string()
    open = fields.Integer(required=True)
    unacknowledged = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    oldest_age_seconds = fields.Float(
        required=True, allow_none=True, metadata={"description": "Of the oldest open referral; null if none is open."}
    )
    by_priority = nested(ByPriority)


class Queues(Shape):
    """All four queues, in their order."""

    queues = listed(Queue)


class Event(Shape):
    """One thing that happened to a referral."""

    id = fields.Integer(required=True)
    type = string()
    at = moment()
    referral_id = fields.UUID(required=True)
    intake_id = fields.UUID(required=True)
    by = string(allow_none=True)
    data = fields.Dict(keys=fields.String(), required=True)


class Timeline(Shape):
    """Everything that happened to a referral, oldest first."""

    events = listed(Event)


class Ready(Shape):
    """Whether requests can be served; what is away but not needed for that is `degraded`."""

    status = one_of(("ready",))
    degraded = listed(fields.String())


class Live(Shape):
    """The process answers."""

    status = one_of(("live",))


class Error(Shape):
    """One error in a body or query."""

    pointer = string("RFC 6901; an empty one means the whole body.")
    detail = string()


class Problem(Shape):
    """Every error (RFC 9457). Nothing that was sent is repeated in it."""

    type = string("Stable: tell problems apart by it.")
    title = string()
    status = fields.Integer(required=True)
    detail = string()
    instance = string()
    request_id = string("Name it when you ask for support.")
    errors = fields.List(fields.Nested(Error), validate=validate.Length(max=MOST_ERRORS))
