"""The shape of a decision, with its reasons."""

from marshmallow import fields

from services.api.schemas.members import ResponseSchema, listed, moment, nested, one_of, string
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES


class Imaging(ResponseSchema):
    """One recommended study."""

    study = string()
    within = string()
    text = string()
    loinc = string("The code that names no side, or null.", allow_none=True)
    because = listed(fields.String())


class Reason(ResponseSchema):
    """A rule that fired, with the answers that counted."""

    rule = string()
    flag = string(allow_none=True)
    origin = string()
    priority = string(allow_none=True)
    text = string()
    because = fields.Dict(keys=fields.String(), required=True)
    citation = string(allow_none=True)


class Undetermined(ResponseSchema):
    """A rule that could not be evaluated, and the answers that are missing for it."""

    rule = string()
    missing = listed(fields.String())


class Evidence(ResponseSchema):
    """How much speaks for each link of the chain."""

    nerve = fields.Integer(required=True)
    muscle = fields.Integer(required=True)
    joint = fields.Integer(required=True)


class ProtocolName(ResponseSchema):
    """The protocol that decided."""

    name = string()
    version = string()
    digest = string()


class Decision(ResponseSchema):
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


class Preview(ResponseSchema):
    """What triage would decide; nothing was stored."""

    decision = nested(Decision)
