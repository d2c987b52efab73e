"""What to ask next: the unanswered questions whose answers would change the decision most (part 4, step 15).

A pure function beside the decision, never on the way of an intake: it decides once, and once more for each answer that
it tries, of which the protocol's table has a fixed number.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.clinical.decision import Decision
from shared.clinical.fields import NOT_ASKED, UNKNOWN, Answer
from shared.clinical.form import Form, as_read
from shared.clinical.protocol import Protocol, Question
from shared.clinical.referral.lifecycle import PRIORITIES
from shared.clinical.triage import Place, place, triage


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question, and where each answer would lead."""

    question: Question
    outcomes: Mapping[Answer, Place]

    def record(self) -> dict[str, Any]:
        """Return the entry as the interface shows it; numbers are written as text."""
        path = self.question.field.path
        answers = {
            _text(answer): {"queue": place.queue, "priority": place.priority} for answer, place in self.outcomes.items()
        }
        return {"field": path, "label": f"{path}.label", "answers": answers}

    def changes(self, now: Decision) -> bool:
        """Tell whether an answer changes queue, priority or pattern."""
        present = Place(now.queue, now.priority, now.pattern)
        return any(each != present for each in self.outcomes.values())

    def order(self, now: Decision) -> tuple[int, int, bool]:
        """Return what is asked first: what may raise most, then what may lower most, then the first tier."""
        ranks = [_rank(each) for each in self.outcomes.values()]
        rise, fall = max(0, max(ranks) - _rank(now)), max(0, _rank(now) - min(ranks))
        return -rise, -fall, self.question.field.tier != "R1"


def ask_next(form: Form, protocol: Protocol) -> list[dict[str, Any]]:
    """Return the entries for a form as it was read, of which the first changes most; the form is not changed."""
    return [each.record() for each in suggestions(form, protocol)]


def suggestions(form: Form, protocol: Protocol) -> list[Suggestion]:
    """Return the questions to be asked next, with where their answers lead."""
    now = triage(form, protocol)
    made = [_suggestion(question, form, protocol) for question in candidates(form, now, protocol)]
    useful = sorted((each for each in made if each.changes(now)), key=lambda each: each.order(now))
    return useful[: protocol.ask_next.at_most]


def candidates(form: Form, now: Decision, protocol: Protocol) -> list[Question]:
    """Return the questions that the decision depends on and that are unanswered, in the protocol's order."""
    named = _named(now, protocol)
    answers = as_read(form, protocol)
    return [
        each
        for each in protocol.ask_next.questions
        if each.field.name in named and _is_unanswered(each, answers.get(each.field.name))
    ]


def _is_unanswered(question: Question, answer: Answer | None) -> bool:
    """Tell whether a question has no answer. A finding that was not tested is none; one that nobody can tell is."""
    if question.field.kind == "finding":
        return answer == UNKNOWN
    return not question.field.is_answered(answer) or answer == NOT_ASKED


def _suggestion(question: Question, form: Form, protocol: Protocol) -> Suggestion:
    name = question.field.name
    tried = {answer: replace(form, answers={**form.answers, name: answer}) for answer in question.answers}
    return Suggestion(question, {answer: place(each, protocol) for answer, each in tried.items()})


def _named(now: Decision, protocol: Protocol) -> frozenset[str]:
    """Return the fields that the decision depends on, named at any depth of conditions and facts."""
    names = {each.name for each in protocol.form.first_tier}
    for names_of in _conditions(now, protocol):
        names |= names_of
    return frozenset(names)


def _conditions(now: Decision, protocol: Protocol) -> Iterator[frozenset[str]]:
    for rule in now.undetermined:
        yield protocol.fields_named(protocol.rules[rule.rule].condition)
    if now.incomplete:
        yield protocol.fields_named(protocol.conditions["ACUTE_CONTEXT"])
    if now.queue != "urgent":
        yield from (protocol.fields_named(each.condition) for each in _considered(now, protocol))


def _considered(now: Decision, protocol: Protocol) -> Iterable[Any]:
    """Yield the routes down to the one that decided, and every floor."""
    deciding = now.reasons[0].rule
    for route in protocol.routes:
        yield route
        if route.id == deciding:
            break
    yield from protocol.floors


def _rank(decision: Decision | Place) -> int:
    return -PRIORITIES.index(decision.priority)


def _text(answer: Answer) -> str:
    return answer if isinstance(answer, str) else f"{answer:g}"
