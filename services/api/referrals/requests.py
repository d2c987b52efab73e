"""Request schemas of the actions on a referral; each names the person who acts."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from services.api.access.actor import By
from services.api.http.parsing.request_parser import Body
from services.api.http.parsing.strict_fields import REQUIRED, Choice, Day, Flag, Text
from shared.clinical.fields import NOT_ASKED
from shared.clinical.referral.lifecycle import CONTACTS, QUEUES

MAX_NAME_LENGTH = 200
MAX_TEXT_LENGTH = 4000
MAX_IN_AN_IDENTITY = 128  # as the form takes


def words(example: str, *, required: bool) -> Text:
    """Return a field for what a person writes."""
    optional: dict[str, Any] = {} if required else {"load_default": None, "allow_none": True}
    return Text(least=1, most=MAX_TEXT_LENGTH, required=required, metadata={"example": example}, **optional)


class ByPerson(Body):
    """The named person who acts. A person's key may leave `by` out; every other key has to say for whom it acts."""

    by = By(least=1, most=MAX_NAME_LENGTH, metadata={"example": "Example (write your own name)"})


class AcknowledgeBody(ByPerson):
    """Who has the referral now."""

    note = words("Seen by telephone.", required=False)


class CompleteBody(ByPerson):
    """What came of the referral."""

    outcome = words("MRI done, admitted.", required=True)


class RerouteBody(ByPerson):
    """Where the referral goes; out of `urgent` only with a reason, and confirmed."""

    queue = Choice(QUEUES, required=True)
    reason = words("The imaging points to another service.", required=False)
    confirm = Flag(load_default=False)


class ReturnBody(ByPerson):
    """The advice with which the referral goes back; out of `urgent` only if confirmed."""

    reason = words("Refer again with the imaging report.", required=True)
    confirm = Flag(load_default=False)


class ReleaseBody(ByPerson):
    """Why the referral is released."""

    reason = words("Handed over at the end of the shift.", required=True)


class TakeOverBody(ByPerson):
    """Why a referral that one person has acknowledged is another's from now on."""

    reason = words("The colleague was called to theatre.", required=True)


class ConfirmDowngradeBody(ByPerson):
    """Why the lower priority is right."""

    reason = words("Seen by telephone: no danger is left.", required=True)


class ContactedBody(ByPerson):
    """How it ended when a person called; `reached` and `not_needed` end the clock of the contact."""

    outcome = Choice(CONTACTS, required=True)
    note = words("Spoke to the daughter.", required=False)


def _identifying(*, least: int) -> Text:
    answered = validate.NoneOf([NOT_ASKED], error="Has to be answered.")
    return Text(least=least, most=MAX_IN_AN_IDENTITY, validate=answered)


class CorrectedPatient(Body):
    """What is right instead; what is not given stays."""

    mrn = _identifying(least=1)
    birth_date = Day(metadata={"format": "date"})
    family_name = _identifying(least=1)
    given_name = _identifying(least=1)

    @validates_schema
    def _says_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("Has to say what is right.")


class CorrectIdentityBody(ByPerson):
    """Which of a patient's record number, birth date and names was wrong, and why it is corrected."""

    reason = words("The number belonged to another patient.", required=True)
    patient: fields.Field[Any] = fields.Nested(CorrectedPatient, required=True, error_messages=REQUIRED)
