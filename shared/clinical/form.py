"""One form as it was read: clean answers, the age, and what its free text says of dangers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.clinical.fields import Answer, FormDefinition
from shared.clinical.protocol import Protocol
from shared.clinical.text_check.check import TextFindings

__all__ = ["Form", "FormDefinition", "age_in_years", "read"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OLDEST = 120  # years; an age beyond counts as unanswered


@dataclass(frozen=True, slots=True)
class Form:
    """What triage needs of a form, and nothing that tells whose it is.

    `answers` holds the legal answers as given, by field; a missing one was not asked, or not legal. `age_years` counts
    completed years. `phrases` are the groups of dangers that the free text asserts, `mentioned` those that it only
    mentions.
    """

    answers: Mapping[str, Answer]
    age_years: int | None = None
    phrases: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return the form ready for JSON; `Form.of` makes the same form of it again."""
        return {
            "answers": dict(self.answers),
            "age_years": self.age_years,
            "phrases": list(self.phrases),
            "mentioned": list(self.mentioned),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Form":
        """Return the form of a stored record; those of before 2026.2.0 say nothing of what is only mentioned."""
        return cls(
            dict(record["answers"]),
            record["age_years"],
            tuple(record["phrases"]),
            tuple(record.get("mentioned", ())),
        )


def read(body: Any, protocol: Protocol, *, today: date) -> Form:
    """Return the form that any JSON value amounts to (part 4, steps 1, 2 and 9); it never fails.

    What is missing, unknown to the form, of a wrong type or outside its range is left out. `today` is the day of
    `submitted_at`, in the offset given there.
    """
    sections = {section.name: _section(body, section.name) for section in protocol.form.sections}
    answers: dict[str, Answer] = {}
    for field, as_they_are in protocol.form.kept:
        value = sections[field.section].get(field.name)
        if value is None:
            continue
        if value.__class__ is str and value in as_they_are:  # most are; a call for each would be half of the reading
            answers[field.name] = value
        elif (answer := field.clean(value)) is not None:
            answers[field.name] = answer
    free_text = sections["encounter"].get("free_text")
    said = protocol.phrases.findings(free_text, today) if isinstance(free_text, str) and free_text else TextFindings()
    age_years = age_in_years(sections["patient"].get("birth_date"), today)
    return Form(answers, age_years, said.asserted, said.mentioned)


def as_read(form: Form, protocol: Protocol) -> dict[str, Answer]:
    """Return the answers by which a form is decided: old answers as they are read now, and the age."""
    answers = dict(form.answers)
    for field in protocol.form.renewed:
        answer = answers.get(field.name)
        if answer in field.old_answers:
            answers[field.name] = field.old_answers[answer]  # type: ignore[index]  # a text, as the keys are
    if form.age_years is not None:
        answers["age_years"] = form.age_years
    return answers


def age_in_years(birth_date: object, today: date) -> int | None:
    """Return the completed years from `YYYY-MM-DD` to `today`, or None where there are none between 0 and 120.

    Someone born on 29 February completes a year on 1 March where there is no such day.
    """
    if not isinstance(birth_date, str) or not _DATE.fullmatch(birth_date):
        return None
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return years if 0 <= years <= _OLDEST else None


def _section(body: Any, name: str) -> Mapping[Any, Any]:
    section = body.get(name) if isinstance(body, Mapping) else None
    return section if isinstance(section, Mapping) else {}
