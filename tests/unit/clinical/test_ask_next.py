"""What to ask next: only what is unanswered and changes the decision, the most telling first."""

import pytest

from shared.clinical import ask_next as module
from shared.clinical.ask_next import ask_next
from shared.clinical.form import read
from shared.clinical.triage import place, triage
from shared.protocols import ACTIVE, active, cases
from tests.unit.clinical.calm import TODAY, body, form

EMPTY = read({}, active(), today=TODAY)
INCOMPLETE = [
    {},
    {"swallowing_difficulty": None},
    {"onset": None, "duration_days": None},
    {"mechanism": "unknown", "limiting_factor": "unsure", "areflexia_legs": "unknown"},
    {"pregnancy_status": None, "cancer": "unknown", "age": None},
]


def with_answer(answers, field, answer):
    section, name = field.split(".")
    given = body(**answers)
    if name in ("duration_days", "pain_score"):
        answer = float(answer)
    given.setdefault(section, {})[name] = answer
    return read(given, active(), today=TODAY)


@pytest.mark.parametrize("answers", INCOMPLETE, ids=str)
def test_each_entry_is_unanswered_and_says_what_each_answer_leads_to(answers):
    now = triage(form(**answers), active())
    for entry in ask_next(form(**answers), active()):
        asked = active().form.by_path[entry["field"]]
        assert not asked.is_answered(form(**answers).answers.get(asked.name))
        assert entry["label"] == f"{entry['field']}.label"
        led = [triage(with_answer(answers, entry["field"], each), active()) for each in entry["answers"]]
        assert list(entry["answers"].values()) == [{"queue": each.queue, "priority": each.priority} for each in led]
        assert any((x.queue, x.priority, x.pattern) != (now.queue, now.priority, now.pattern) for x in led)


def test_an_answer_that_may_raise_comes_first():
    given = form(swallowing_difficulty=None, cancer="unknown")
    first = ask_next(given, active())[0]
    assert first == {
        "field": "symptoms.swallowing_difficulty",
        "label": "symptoms.swallowing_difficulty.label",
        "answers": {
            "none": {"queue": "clinical_review", "priority": "prompt"},
            "new_or_worse": {"queue": "urgent", "priority": "emergency"},
            "longstanding_unchanged": {"queue": "clinical_review", "priority": "prompt"},
        },
    }


def test_a_number_is_written_as_text_and_tried_as_a_number():
    [entry] = [each for each in ask_next(form(duration_days=None), active()) if "duration_days" in each["field"]]
    assert list(entry["answers"]) == ["1", "2", "7", "8", "14", "15", "21", "22", "27", "28", "41", "42", "43"]


def test_a_finding_is_asked_for_only_where_nobody_could_tell():
    untested, unknown = ({"side": "both", "onset": "subacute", "areflexia_legs": each} for each in (None, "unknown"))
    asked = [[each["field"] for each in ask_next(form(**answers), active())] for answers in (untested, unknown)]
    assert ["examination.areflexia_legs" in fields for fields in asked] == [False, True]


def test_there_are_at_most_eight_and_the_decisions_are_as_many_as_the_table_has_answers(monkeypatch):
    decided = []
    monkeypatch.setattr(module, "place", lambda *given: decided.append(given) or place(*given))
    assert len(ask_next(EMPTY, active())) == 8
    assert len(decided) + 1 == 121
    assert 1 + sum(len(each.answers) for each in active().ask_next.questions) == 164


def test_the_form_is_not_changed_and_gives_the_same_list_twice():
    before = EMPTY.record()
    assert ask_next(EMPTY, active()) == ask_next(EMPTY, active())
    assert EMPTY.record() == before


@pytest.mark.parametrize("case", cases(ACTIVE), ids=lambda case: case["id"])
def test_the_place_is_that_of_the_decision(case):
    given = read(case["form"], active(), today=TODAY)
    decision, found = triage(given, active()), place(given, active())
    assert (found.queue, found.priority, found.pattern) == (decision.queue, decision.priority, decision.pattern)


def test_a_protocol_without_questions_asks_nothing():
    from shared.protocols import version

    assert ask_next(read({}, version("2026.1.0"), today=TODAY), version("2026.1.0")) == []
