"""Schema of what was sent: contact, free text and answers."""

from marshmallow import fields

from services.api.schemas.members import ResponseSchema, listed, nested, string


class FormContact(ResponseSchema):
    """Whom to call back, in which language, and who completed the form; null where it was not answered."""

    callback_phone = string(allow_none=True)
    referrer_contact = string(allow_none=True)
    interpreter_language = string("BCP 47.", allow_none=True)
    source = string(allow_none=True)
    completed_by = string(allow_none=True)


class FormAnswer(ResponseSchema):
    """One answered question."""

    field = string("Where it stands in the form, such as `symptoms.side`.")
    label = string("The question in the form's own words.")
    answer = fields.Raw(required=True, metadata={"description": "The answer as it was sent: text, number or boolean."})
    text = string("The answer in the form's own words.")


class SentForm(ResponseSchema):
    """What was sent. It may say whose form it is."""

    contact = nested(FormContact)
    free_text = string(allow_none=True)
    answers = listed(FormAnswer, "Every answered question, in the order of the form.")
    identity_unreadable = fields.Boolean(
        required=True,
        metadata={"description": "Telephone numbers and free text do not open: they are null, nothing else fails."},
    )
