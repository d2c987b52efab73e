"""The protocol's form as a form of HTML, and what a browser sends of it as a body of the API."""

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from services.api.http.parsing.json_pointers import errors_of
from services.api.http.problems import InvalidError, ProblemError
from shared.clinical.fields import Field, FormDefinition
from shared.store.referrals import StoredReferral


def body_of(sent: Mapping[str, str], form: FormDefinition) -> dict[str, Any]:
    """Return the form that a browser sent by fields named `symptoms.onset`; what is empty was not asked."""
    body: dict[str, Any] = {}
    for field in form.fields.values():
        value = sent.get(field.path, "").strip()
        if value:
            body.setdefault(field.section, {})[field.name] = typed(field, value)
    return body


def answers_in(sent: Mapping[str, str], form: FormDefinition) -> dict[str, Any]:
    """Return the answers that a browser sent, by the path of their fields; what is empty was not answered."""
    given = ((field, sent.get(field.path, "").strip()) for field in form.fields.values())
    return {field.path: typed(field, value) for field, value in given if value}


def typed(field: Field, value: str) -> Any:
    """Return a text as the value that the API takes for a field; what is no number stays a text, and is refused."""
    if field.type == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if field.type != "number":
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else number


SHOWN = (409, 412, 422)  # statuses of problems that the page says beside its form; any other gets a page of its own


def load_body(schema: Schema, body: Mapping[str, Any]) -> Any:
    """Return a body as the API takes it; raise InvalidError as the API does."""
    try:
        return schema.load(body)
    except ValidationError as error:
        raise InvalidError(errors_of(error.messages)) from None


def refuse_other_version(stored: StoredReferral) -> None:
    """Refuse an action on a referral that was changed after its page was drawn."""
    if request.form.get("version") not in (None, str(stored.version)):
        held = f" {stored.acknowledged_by} has it." if stored.acknowledged_by else ""
        raise ProblemError(
            412, f"This referral was changed after your page was drawn.{held} Look again before you act."
        )
