"""Checks whether a form is valid in one pass that collects no errors and builds nothing.

Almost every form is valid. The schema, which finds and words the errors, takes ten times as long, so it is asked only
about what is not valid here: a form with errors, or one with more than its sections.
"""

from collections.abc import Callable
from typing import Any

from services.api.http.parsing.strict_fields import Choice, Strict, check_of
from shared.clinical.fields import NOT_ASKED, Field, FormDefinition, Section

Check = Callable[[Any], bool]


def create_form_check(form: FormDefinition) -> Check:
    """Return what says whether a body is valid; a body that it calls valid has no errors by the schema either."""
    checks = {section.name: _section_check(section) for section in form.sections}
    needed = [name for name, check in checks.items() if not check({})]

    def is_valid(body: Any) -> bool:
        return (
            isinstance(body, dict)
            and all(name in body for name in needed)
            and all(name in checks and checks[name](answers) for name, answers in body.items())
        )

    return is_valid


def _section_check(section: Section) -> Check:
    checks = {each.name: (_valid_texts(each), _answer_check(each)) for each in section.fields}
    needed = [each.name for each in section.fields if each.required]

    def is_valid(answers: Any) -> bool:
        if not isinstance(answers, dict):
            return answers is None and not needed
        for name in needed:
            if name not in answers:
                return False
        for name, answer in answers.items():
            if name not in checks:
                return False
            texts, check = checks[name]
            if not ((answer.__class__ is str and answer in texts) or check(answer)):
                return False
        return True

    return is_valid


def _valid_texts(asked: Field) -> frozenset[str]:
    """Return the listed answers that are valid: most answers are among these, and need no call each."""
    check = _answer_check(asked)
    return frozenset(text for text in (*asked.accepts, NOT_ASKED) if check(text))


def _answer_check(asked: Field) -> Check:
    check = _value_check(check_of(asked))
    if asked.required:
        return lambda answer: answer != NOT_ASKED and check(answer)
    return lambda answer: answer is None or answer == NOT_ASKED or check(answer)


def _value_check(field: Strict) -> Check:
    if isinstance(field, Choice):
        allowed = field.allowed
        return lambda answer: isinstance(answer, str) and answer in allowed
    refuse = field.refuse
    return lambda answer: refuse(answer) is None
