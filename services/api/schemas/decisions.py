"""Schemas of a decision with its reasons."""

from marshmallow import fields

from services.api.schemas.members import ResponseSchema, listed, moment, nested, one_of, string
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES


class Imaging(ResponseSchema):
    """One recommended study."""

    study = string()
    within = string()
    instead_of = fields.String(
        allow_none=True, metadata={"description": "The study that it stands for after a contraindication, or null."}
    )
    instead_of_text = fields.String(allow_none=True)
    text = string()
    loinc = string("The code that names no side, or null.", allow_none=True)
    because = listed(fields.String())
    labels = fields.List(fields.String(), metadata={"description": "The headlines of the rules in `because`."})


class Answered(ResponseSchema):
    """A question and its answer in the form's own words."""

    field = string()
    label = string()
    answer = string()


class Reason(ResponseSchema):
    """A rule that fired, with the answers that counted."""

    rule = string()
    flag = string(allow_none=True)
    origin = string()
    priority = string(allow_none=True)
    text = string()
    because = fields.Dict(keys=fields.String(), required=True)
    words = fields.List(fields.Nested(Answered), metadata={"description": "`because` in the form's own words."})
    citation = string(allow_none=True)


class Undetermined(ResponseSchema):
    """A rule that could not be evaluated, and the answers that are missing for it."""

    rule = string()
    missing = listed(fields.String())
    headline = fields.String()
    labels = fields.List(fields.String(), metadata={"description": "What is missing, in the form's own words."})
    near_miss = fields.String(allow_none=True, metadata={"description": "Where one answer would settle the rule."})


class Evidence(ResponseSchema):
    """How much speaks for each link of the chain."""

    nerve = fields.Integer(required=True)
    muscle = fields.Integer(required=True)
    joint = fields.Integer(required=True)


class EvidenceLine(ResponseSchema):
    """A line of evidence that counted."""

    table = string()
    points = fields.Integer(required=True)
    text = string()


class ProtocolName(ResponseSchema):
    """The protocol that decided."""

    name = string()
    version = string()
    digest = string()


class DecisionSchema(ResponseSchema):
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
    mentioned = fields.List(
        fields.String(),
        metadata={"description": "Dangers that the free text only mentions; they change nothing. Since 2026.2.0."},
    )
    ambulance = fields.Boolean(metadata={"description": "Call an ambulance at once. Since 2026.2.0."})
    contact_minutes = fields.Integer(
        allow_none=True,
        metadata={"description": "Minutes from receipt within which a clinician speaks to patient or referrer."},
    )
    teams = fields.List(
        fields.String(), metadata={"description": "All who are needed; the owner, as `send_to`, first."}
    )
    evidence_lines = fields.List(fields.Nested(EvidenceLine))
    reasons = listed(Reason)
    undetermined = listed(Undetermined)
    protocol = nested(ProtocolName)
    decided_at = moment()


class Note(ResponseSchema):
    """What in a form is read otherwise than it was sent."""

    pointer = string("Where it stands in the form (RFC 6901).")
    detail = string()


class Suggestion(ResponseSchema):
    """An unanswered question that may change where the form goes."""

    field = string("Where it stands in a form, such as `symptoms.fever`; so `answers` takes it.")
    label = string("The name of its label in the form.")
    answers = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "By each answer, numbers as text: `queue` and `priority` of the form with it."},
    )


class AskNext(ResponseSchema):
    """What to ask next: at most 8 questions, first those whose answers may raise the priority most."""

    ask_next = listed(Suggestion)


class Preview(ResponseSchema):
    """What triage would decide; nothing was stored."""

    decision = nested(DecisionSchema)
    notes = listed(Note)
    ask_next = fields.List(fields.Nested(Suggestion), metadata={"description": "With `ask_next=true` alone."})
