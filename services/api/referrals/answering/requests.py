"""Request schema of answers after triage: any question of the form, but identity, names of the form and free text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields

from services.api.forms.receive_form import is_past
from services.api.http.parsing.strict_fields import MESSAGES, REQUIRED, field_of, one_of
from services.api.http.problems import InvalidError
from services.api.referrals.requests import ByPerson, words
from shared.clinical.fields import NOT_ASKED, Field, FormDefinition

EXCLUDED = frozenset(
    {
        *("patient.mrn", "patient.family_name", "patient.given_name", "patient.birth_date"),
        *("encounter.external_id", "encounter.submitted_at", "encounter.free_text"),
    }
)
_NAMEABLE = re.compile(r"[A-Za-z0-9_-]{1,32}(\.[A-Za-z0-9_-]{1,32})?")
EXAMPLE = {"symptoms.saddle_numbness": "none", "symptoms.duration_days": 3}


class AnswersBody(ByPerson):
    """What was answered, by field of the form; what is not named is copied from the form before."""

    answers = fields.Dict(
        required=True,
        error_messages=REQUIRED | {"invalid": MESSAGES["type"]},
        metadata={"example": EXAMPLE, "minProperties": 1, "type": "object"},
    )
    note = words("Asked by telephone.", required=False)


@dataclass(frozen=True, slots=True)
class Answers:
    """Legal answers, each with its field; None where a question is to count as not asked."""

    given: Sequence[tuple[Field, Any]]

    @property
    def paths(self) -> list[str]:
        """Return the fields that were answered, in the order in which they were given."""
        return [each.path for each, _ in self.given]


def read_answers(form: FormDefinition, answers: Mapping[str, Any], now: datetime) -> Answers:
    """Return what was answered; raise InvalidError, with a pointer for each, for what the form would refuse."""
    if not answers:
        raise InvalidError([("/answers", "Has to answer something.")])
    askable = {path: each for path, each in form.by_path.items() if path not in EXCLUDED and each.name in form.fields}
    errors = list(_errors(askable, answers, now))
    if errors:
        raise InvalidError(errors)
    return Answers([(askable[path], None if value == NOT_ASKED else value) for path, value in answers.items()])


def _errors(askable: Mapping[str, Field], answers: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    for path, value in answers.items():
        asked = askable.get(path)
        pointer = f"/answers/{path}"
        if asked is None and path in EXCLUDED:
            yield pointer, "Cannot be answered here."
        elif asked is None:
            yield (
                (pointer, MESSAGES["unknown"])
                if _NAMEABLE.fullmatch(path)
                else ("/answers", "Holds a key that is not known.")
            )
        else:
            yield from ((pointer, message) for message in _refusals(asked, value, now))


def _refusals(asked: Field, value: Any, now: datetime) -> list[str]:
    try:
        field_of(asked).deserialize(value)
    except ValidationError as error:
        return [str(message) for message in error.messages]
    is_old = isinstance(value, str) and value in asked.old_answers
    return [one_of(asked.accepts)] if is_old and is_past(asked.old_answers_until, now) else []
