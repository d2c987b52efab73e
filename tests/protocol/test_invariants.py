"""The invariants of the triage specification, part 5, over the whole answer space and for both implementations."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from . import raising
from .bodies import ABSENT, TODAY, Answers, body_of, mirrored
from .decisions import OF_STEP_14, RANK, Decide, reading, service
from .invariants import complaints
from .near import BY_NAME, VAGUE, WRONG
from .reading.vocabulary import SECTIONS
from .strategies import answers, any_json, changes_to, free_texts, urgent_answers

INDEPENDENT_OF_SAFETY = ("queue", "priority", "red_flags", "pattern", "evidence", "incomplete")
ENCOUNTER_FIELDS = ("external_id", "source", "completed_by", "callback_phone", "interpreter_language")
SAFETY_FIELDS = [field.name for field in BY_NAME.values() if field.section == "imaging_safety"]
ASKED_FIELDS = [
    "birth_date",
    *(field.name for field in BY_NAME.values() if field.section in ("patient", "symptoms", "history")),
]
TRI_FINDINGS = [field.name for field in BY_NAME.values() if field.tri and field.is_finding]

both_implementations = pytest.mark.parametrize("decide", [reading, service])


def searched(examples: int) -> settings:
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=examples, derandomize=True, deadline=None, suppress_health_check=quiet)


def rank(decide: Decide, form: Answers) -> int:
    return RANK[decide(body_of(form))["priority"]]


@both_implementations
@searched(500)
@given(form=answers())
def test_i1_to_i6_hold_of_every_result(decide: Decide, form: Answers) -> None:
    body = body_of(form)

    assert complaints(body, TODAY, decide(body)) == []


@both_implementations
@searched(150)
@given(form=answers(), safety=st.lists(changes_to(SAFETY_FIELDS), max_size=5), said=st.text(max_size=20))
def test_i7_imaging_safety_and_encounter_change_only_imaging_and_cautions(
    decide: Decide, form: Answers, safety: list[tuple[str, Any]], said: str
) -> None:
    body, other = body_of(form), body_of(form | dict(safety))
    other["encounter"] |= dict.fromkeys(ENCOUNTER_FIELDS, said)
    before, after = decide(body), decide(other)

    assert {name: before[name] for name in INDEPENDENT_OF_SAFETY} == {
        name: after[name] for name in INDEPENDENT_OF_SAFETY
    }


@both_implementations
@searched(150)
@given(form=answers(), order=st.randoms(use_true_random=False))
def test_i8_the_order_of_sections_and_fields_does_not_matter(decide: Decide, form: Answers, order: Any) -> None:
    body = body_of(form)
    names = order.sample(list(body), len(body))
    shuffled = {name: dict(order.sample(list(body[name].items()), len(body[name]))) for name in names}

    assert decide(shuffled) == decide(body)


@both_implementations
@searched(150)
@given(form=answers(), name=st.text(max_size=12), section=st.sampled_from(SECTIONS), value=any_json())
def test_i9_unknown_sections_and_fields_do_not_matter(
    decide: Decide, form: Answers, name: str, section: str, value: Any
) -> None:
    body = body_of(form)
    misplaced = dict.fromkeys(field for field in BY_NAME if BY_NAME[field].section != section)
    other = {name + "?": value, **body}
    other[section] = {name + "?": value, **dict.fromkeys(misplaced, "present"), **body[section]}

    assert decide(other) == decide(body)


@both_implementations
@searched(250)
@given(form=answers())
def test_i10_exchanging_left_and_right_changes_nothing(decide: Decide, form: Answers) -> None:
    before, after = decide(body_of(form)), decide(body_of(mirrored(form)))

    assert {name: before[name] for name in OF_STEP_14} == {name: after[name] for name in OF_STEP_14}


@both_implementations
@searched(300)
@given(form=answers(), text=free_texts())
def test_i11_free_text_never_lowers_the_rank(decide: Decide, form: Answers, text: str) -> None:
    assert rank(decide, form | {"free_text": text}) >= rank(decide, form | {"free_text": ABSENT})


@both_implementations
@searched(1200)
@given(form=answers(), change=st.sampled_from(raising.CHANGES))
def test_i12_a_positive_answer_never_lowers_the_rank(
    decide: Decide, form: Answers, change: tuple[str, Any, Any]
) -> None:
    field, negative, positive = change
    if field == "bilateral_leg_weakness":
        # Ticking this box ends a conflict with the free text (part 4 step 9), and an old weakness of both
        # legs is no red flag: part 4 decides where another sentence differs.
        form = form | {"free_text": ABSENT}

    assert rank(decide, form | {field: positive}) >= rank(decide, form | {field: negative})


@both_implementations
@searched(600)
@given(form=answers(), change=st.sampled_from(raising.QUESTIONS), silence=st.sampled_from(["unknown", None]))
def test_i13_an_unknown_answer_never_lowers_the_rank(
    decide: Decide, form: Answers, change: tuple[str, Any, Any], silence: str | None
) -> None:
    field, negative, _ = change

    assert rank(decide, form | {field: silence}) >= rank(decide, form | {field: negative})


@both_implementations
@searched(400)
@given(form=urgent_answers(), finding=st.sampled_from(raising.REASSURING))
def test_i14_a_reassuring_finding_lowers_no_rank_and_removes_no_flag(
    decide: Decide, form: Answers, finding: tuple[str, Any]
) -> None:
    before = decide(body_of(form | {finding[0]: ABSENT}))
    assume(before["queue"] == "urgent")
    after = decide(body_of(form | dict([finding])))

    assert RANK[after["priority"]] >= RANK[before["priority"]]
    assert set(after["red_flags"]) >= set(before["red_flags"])


@both_implementations
@searched(800)
@given(form=urgent_answers(), field=st.sampled_from([*ASKED_FIELDS, *TRI_FINDINGS]), pick=st.integers(0, 3))
def test_i15_losing_one_answer_never_makes_an_urgent_form_routine(
    decide: Decide, form: Answers, field: str, pick: int
) -> None:
    silence = ("unknown", "not_asked", None, ABSENT)[pick]
    if field in TRI_FINDINGS:
        form, silence = form | {field: "present"}, "unknown"
    assume(decide(body_of(form))["queue"] == "urgent")

    assert decide(body_of(form | {field: silence}))["priority"] != "routine"


@both_implementations
@searched(150)
@given(body=any_json(SECTIONS, list(BY_NAME)))
def test_i16_every_form_gets_a_result(decide: Decide, body: Any) -> None:
    result = decide(body)

    assert complaints(body, TODAY, result) == []
    assert result["priority"] in RANK


@both_implementations
@searched(100)
@given(choices=st.randoms(use_true_random=False), silent=st.booleans())
def test_i16_a_form_with_no_usable_answers_is_urgent(decide: Decide, choices: Any, silent: bool) -> None:
    values = {name: VAGUE[name] if silent else unusable(name) for name in BY_NAME}
    form = {name: choices.choice(values[name]) for name in BY_NAME if not BY_NAME[name].is_finding}

    assert decide(body_of(form))["red_flags"] == ["RF_UNANSWERED"]


def unusable(name: str) -> list[Any]:
    """Wrong values of a field, less those another field's list makes right for this one."""
    return [value for value in WRONG[name] if not isinstance(value, str) or value not in BY_NAME[name].answers]


@pytest.mark.parametrize("nothing", [{}, None, [], "form", 7, True, {"symptoms": None}, {"patient": []}])
@both_implementations
def test_i16_no_form_at_all_is_urgent(decide: Decide, nothing: Any) -> None:
    result = decide(nothing)

    assert (result["queue"], result["red_flags"]) == ("urgent", ["RF_UNANSWERED"])


@both_implementations
@searched(150)
@given(form=answers())
def test_i17_the_same_form_gives_the_same_result_and_is_not_changed(decide: Decide, form: Answers) -> None:
    body = body_of(form)
    kept = copy.deepcopy(body)

    assert decide(body) == decide(kept)
    assert repr(body) == repr(kept)
