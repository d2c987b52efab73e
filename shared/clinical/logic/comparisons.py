"""Comparisons of one field with values or a number; what a missing answer means depends on the kind of field."""

import operator
from collections.abc import Callable, Collection

from shared.clinical.fields import NOT_ASKED, UNKNOWN, Answer, Field
from shared.clinical.logic.truth import Condition, Evaluation, Fields, Lookup, Truth

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def among(field: Field, wanted: Collection[str]) -> Condition:
    """Compare an answer with one or several values, as a table of every possible answer (part 2.0)."""
    silent = _when_silent(field)
    table: dict[Answer | None, Truth] = {value: value in wanted for value in field.values}
    table.update(dict.fromkeys(field.unanswered, silent))
    table[UNKNOWN] = None if field.type == "tri" else silent
    lookup = Lookup(field.name, table, silent)
    return Condition(lookup.truth, _quote(field), lookup=lookup, mentions=frozenset([field.name]))


def beyond(field: Field, sign: str, limit: float) -> Condition:
    """Compare a number with a limit."""
    silent, compare, name = _when_silent(field), OPERATORS[sign], field.name

    def truth(form: Evaluation) -> Truth:
        number = form.answers.get(name)
        return silent if number is None else compare(number, limit)  # type: ignore[arg-type]  # a number by its field

    return Condition(truth, _quote(field), mentions=frozenset([name]))


def _when_silent(field: Field) -> Truth:
    """An unanswered question is not known; a finding that was not tested is false."""
    return None if field.kind == "question" else False


def _quote(field: Field) -> Callable[[Evaluation, Fields], None]:
    path, name, is_question = field.path, field.name, field.kind == "question"

    def support(form: Evaluation, found: Fields) -> None:
        answer = form.answers.get(name)
        if answer is not None:
            found[path] = answer
        elif is_question:
            found[path] = NOT_ASKED

    return support
