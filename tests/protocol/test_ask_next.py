"""What to ask next: bounded, useful, and the same from both implementations (triage specification, part 4 step 15)."""

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from shared.clinical.ask_next import ask_next as asked_by_the_service
from shared.clinical.form import read
from shared.protocols import active

from .bodies import ABSENT, TODAY, Body, body_of
from .calm import calm
from .conftest import SEED
from .decisions import reading
from .generate import forms
from .pairs import TRI_FINDINGS
from .reading import ask_next, next_questions
from .reading.answers import Answers
from .reading.vocabulary import TIER_1
from .recipes import RECIPES

Proposed = tuple[Body, date, list[dict[str, Any]]]

SOME = 120
PLACES = {f"{section}.{name}": (section, name) for name, (section, _) in next_questions.TABLE.items()}


def served(body: Any, today: date = TODAY) -> list[dict[str, Any]]:
    """What the code in service proposes."""
    return asked_by_the_service(read(body, active(), today=today), active())


@pytest.fixture(scope="module")
def proposals() -> list[Proposed]:
    """What the reading proposes for forms with gaps and for generated ones."""
    asked = [*((body, TODAY) for body in unanswered_forms()), *forms(SOME, SEED + 1)]
    return [(body, today, ask_next(body, today)) for body, today in asked]


def unanswered_forms() -> Iterator[Body]:
    """Each recipe with a few of its questions left out or answered with unknown, and a finding that is not clear."""
    questions = [name for name in next_questions.TABLE if name in calm()]
    for place, answers in enumerate(RECIPES.values()):
        left_out = questions[place % 17 :: 17] + [name for name in TIER_1 if place % 9 == 0]
        silence = ABSENT if place % 2 else "unknown"
        yield body_of(answers | {TRI_FINDINGS[place % len(TRI_FINDINGS)]: "unknown"} | dict.fromkeys(left_out, silence))


def test_the_service_proposes_what_the_reading_proposes() -> None:
    for body in unanswered_forms():
        assert served(body) == ask_next(body, TODAY), body


def test_the_service_proposes_the_same_for_generated_forms() -> None:
    for body, today in forms(SOME, SEED + 1):
        assert served(body, today) == ask_next(body, today), (body, today)


def test_i22_every_proposal_changes_the_result_and_tells_it(proposals: list[Proposed]) -> None:
    for body, today, proposed in proposals:
        now = reading(body, today)
        assert len(proposed) <= 8
        for question in proposed:
            assert Answers(body, today).unanswered(PLACES[question["field"]][1])
            answers = question["answers"]
            results = {answer: reading(with_answer(body, question["field"], answer), today) for answer in answers}
            assert answers == {
                answer: {name: result[name] for name in ("queue", "priority")} for answer, result in results.items()
            }
            assert any(placed(result) != placed(now) for result in results.values())


def placed(result: dict[str, Any]) -> tuple[str, str, str]:
    return result["queue"], result["priority"], result["pattern"]


def with_answer(body: Body, field: str, answer: str) -> Body:
    section, name = PLACES[field]
    changed = copy.deepcopy(body)
    if not isinstance(changed.get(section), dict):
        changed[section] = {}
    changed[section][name] = int(answer) if answer.isdigit() else answer
    return changed


def test_proposals_are_made_and_are_made_of_many_fields(proposals: list[Proposed]) -> None:
    fields = {question["field"] for _, _, proposed in proposals for question in proposed}

    assert sum(bool(proposed) for _, _, proposed in proposals) >= SOME / 4
    assert len(fields) >= 30


def test_a_form_with_nothing_answered_takes_121_decisions_and_a_full_one_takes_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decided: list[Any] = []

    def counting(form: Any, today: date) -> dict[str, Any]:
        decided.append(form)
        return reading(form, today)

    monkeypatch.setattr(next_questions, "evaluate", counting)

    assert len(ask_next({}, TODAY)) == 8
    assert len(decided) == 121
    assert ask_next(body_of(calm()), TODAY) == []
    assert len(decided) == 122


def test_no_more_than_164_decisions_are_ever_taken() -> None:
    assert 1 + sum(len(answers) for _, answers in next_questions.TABLE.values()) == 164


def test_the_form_is_not_changed() -> None:
    for body in ({}, {"symptoms": None}, body_of(calm() | {"onset": "unknown"})):
        kept = copy.deepcopy(body)
        assert ask_next(body, TODAY) == ask_next(kept, TODAY)
        assert body == kept
