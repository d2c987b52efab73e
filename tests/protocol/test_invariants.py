"""The invariants of the triage specification, part 5, over the whole answer space and for both implementations."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import pairs
from .bodies import ABSENT, TODAY, Answers, answers_of, body_of
from .calm import calm, examined
from .decisions import RANK, Decide, reading, service
from .examples import cases
from .invariants import complaints
from .near import BY_NAME, DEFINITE, VAGUE, WRONG
from .reading.vocabulary import SECTIONS
from .recipes import RECIPES
from .strategies import answers, any_json, free_texts, urgent_answers

SILENCES = st.sampled_from(["unknown", "not_asked", None, ABSENT])
KNOWN = {
    "nothing": {},
    "calm": calm(),
    "examined": examined(),
    **RECIPES,
    **{case.name: answers_of(case.body()) for case in cases()},
}

both_implementations = pytest.mark.parametrize("decide", [reading, service])


def searched(most: int) -> settings:
    slow = [HealthCheck.too_slow]
    return settings(max_examples=most, derandomize=True, deadline=None, suppress_health_check=slow)


@both_implementations
@searched(300)
@given(form=answers())
def test_i1_to_i6_and_i19_hold_of_every_result(decide: Decide, form: Answers) -> None:
    body = body_of(form)

    assert complaints(body, TODAY, decide(body)) == []


@pytest.mark.parametrize(
    "broken",
    [
        pairs.i7_safety_or_encounter_leaks,
        pairs.i10_sides_differ,
        pairs.i11_text_lowers,
        pairs.i12_positive_lowers,
        pairs.i13_unknown_lowers,
        pairs.i14_reassurance_lowers,
        pairs.i15_loss_makes_routine,
        pairs.i18_pregnancy_delays_imaging,
        pairs.i20_old_answers_differ,
        pairs.i21_text_changes_more_than_mentioned,
    ],
)
@both_implementations
def test_what_two_forms_have_in_common_holds_near_every_rule_and_example(
    decide: Decide, broken: Callable[[Decide, Answers], list[Any]]
) -> None:
    assert {name: found for name, form in KNOWN.items() if (found := broken(decide, form))} == {}


@both_implementations
@searched(60)
@given(form=answers())
def test_i7_imaging_safety_and_encounter_change_only_imaging_and_cautions(decide: Decide, form: Answers) -> None:
    assert pairs.i7_safety_or_encounter_leaks(decide, form) == []


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
@searched(150)
@given(form=answers())
def test_i10_exchanging_left_and_right_changes_nothing(decide: Decide, form: Answers) -> None:
    assert pairs.i10_sides_differ(decide, form) == []


@both_implementations
@searched(200)
@given(form=answers(), text=free_texts())
def test_i11_free_text_never_lowers_the_rank(decide: Decide, form: Answers, text: str) -> None:
    assert pairs.i11_text_lowers(decide, form, text) == []


@both_implementations
@searched(80)
@given(form=answers())
def test_i12_a_positive_answer_never_lowers_the_rank(decide: Decide, form: Answers) -> None:
    assert pairs.i12_positive_lowers(decide, form) == []


@both_implementations
@searched(80)
@given(form=answers(), silence=SILENCES)
def test_i13_an_unknown_answer_never_lowers_the_rank(decide: Decide, form: Answers, silence: Any) -> None:
    assert pairs.i13_unknown_lowers(decide, form, silence) == []


@both_implementations
@searched(200)
@given(form=urgent_answers())
def test_i14_a_reassuring_finding_lowers_no_rank_and_removes_no_flag(decide: Decide, form: Answers) -> None:
    assert pairs.i14_reassurance_lowers(decide, form) == []


@both_implementations
@searched(100)
@given(form=urgent_answers(), silence=SILENCES)
def test_i15_losing_one_answer_never_makes_an_urgent_form_routine(decide: Decide, form: Answers, silence: Any) -> None:
    assert pairs.i15_loss_makes_routine(decide, form, silence) == []


@both_implementations
@searched(80)
@given(body=any_json(SECTIONS, list(BY_NAME)))
def test_i16_every_form_gets_a_result(decide: Decide, body: Any) -> None:
    result = decide(body)

    assert complaints(body, TODAY, result) == []
    assert result["priority"] in RANK


@both_implementations
@searched(100)
@given(choices=st.randoms(use_true_random=False), silent=st.booleans())
def test_i16_a_form_with_no_usable_answers_is_urgent(decide: Decide, choices: Any, silent: bool) -> None:
    asked = [name for name, field in BY_NAME.items() if not field.is_finding]
    form = {name: choices.choice(VAGUE[name] if silent else unusable(name)) for name in asked}

    assert decide(body_of(form))["red_flags"] == ["RF_UNANSWERED"]


def unusable(name: str) -> list[Any]:
    """Wrong values of a field, less those another field's list makes right for this one."""
    return [value for value in WRONG[name] if not isinstance(value, str) or value not in DEFINITE[name]]


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


@both_implementations
@searched(100)
@given(form=answers())
def test_i18_pregnancy_never_delays_the_first_image(decide: Decide, form: Answers) -> None:
    assert pairs.i18_pregnancy_delays_imaging(decide, form) == []


@both_implementations
@searched(100)
@given(form=answers())
def test_i20_old_answers_mean_what_they_stand_for(decide: Decide, form: Answers) -> None:
    assert pairs.i20_old_answers_differ(decide, form) == []


@both_implementations
@searched(200)
@given(form=answers(), text=free_texts())
def test_i21_what_is_not_asserted_changes_nothing(decide: Decide, form: Answers, text: str) -> None:
    assert pairs.i21_text_changes_more_than_mentioned(decide, form, text) == []
