"""A decision in the form's own words, and the notes on a form that is read otherwise than it was sent."""

from shared.clinical.form import Form
from shared.clinical.presentation.notes import NO_AGE, notes_of, stored_notes
from shared.clinical.presentation.wording import answered, worded
from shared.protocols import active
from tests.unit.clinical.calm import decide, form


def shown(**answers):
    return worded(decide(**answers).record(), active())


def test_a_reason_words_question_and_answer_and_because_keeps_its_shape():
    [first, *_] = shown(onset="sudden", bladder_change="new_or_worse", mechanism="lifting")["reasons"]
    assert first["because"] == {"symptoms.onset": "sudden", "symptoms.bladder_change": "new_or_worse"}
    assert first["words"] == [
        {"field": "symptoms.onset", "label": "How did it begin?", "answer": "Suddenly, worst within 24 hours"},
        {"field": "symptoms.bladder_change", "label": "Has bladder control changed?", "answer": "Yes, new or worse"},
    ]


def test_a_number_has_its_unit_and_what_is_missing_is_said_in_words():
    reasons = shown(systolic_bp=90)["reasons"]
    assert reasons[0]["words"][0]["answer"] == "90 mmHg"
    [reason] = shown(onset=None)["reasons"]
    assert {"field": "symptoms.onset", "label": "How did it begin?", "answer": "Not asked"} in reason["words"]


def test_a_number_is_said_with_its_unit_as_people_say_it():
    numbers = {"duration_days": 1, "pain_score": 3, "inr": 0.8, "mrc_hip_flexion_left": 2, "heart_rate": 90}
    said = {word["field"].partition(".")[2]: word["text"] for word in answered(numbers, active())}
    assert said == {
        "duration_days": "1 day",
        "pain_score": "3 points",
        "inr": "0.8",
        "mrc_hip_flexion_left": "MRC grade 2",
        "heart_rate": "90 per minute",
    }


def test_a_rule_that_one_answer_would_settle_is_a_near_miss():
    hot = {"groin_or_deep_hip_pain": "present", "can_bear_weight": "no"}
    [rule] = [each for each in shown(**hot, fever=None)["undetermined"] if each["rule"] == "XE10"]
    assert rule["headline"] == "Painful hip with signs of infection"
    assert rule["labels"] == ["Is there fever?"]
    assert rule["near_miss"] == "One answer away from XE10: Is there fever?"
    back = shown(back_pain="present", fever=None, iv_drug_use=None)["undetermined"]
    assert [each["near_miss"] for each in back if each["rule"] == "XE9"] == [None]


def test_an_imaging_line_names_its_rules_and_what_it_stands_for():
    [study, _] = shown(bladder_change="new_or_worse", mri_safety="unsafe")["imaging"]
    assert study["labels"] == ["New loss of bladder or bowel control"]
    assert study["instead_of_text"] == "MRI lumbar spine without contrast"


def test_no_reason_is_without_words():
    for answers in (
        {},
        {"onset": "subacute"},
        {"age": None},
        {"free_text": "wet myself"},
        {"limiting_factor": "block"},
    ):
        assert all(each["because"] and each["words"] for each in shown(**answers)["reasons"])


def test_a_birth_date_without_an_age_and_old_answers_are_noted():
    given = form(age=None, bilateral_sciatica="present", swallowing_difficulty="absent")
    assert notes_of(given, active()) == [
        {"pointer": "/patient/birth_date", "detail": NO_AGE},
        {"pointer": "/symptoms/bilateral_sciatica", "detail": "Old answer read as new_or_worse."},
        {"pointer": "/symptoms/swallowing_difficulty", "detail": "Old answer read as none."},
    ]
    assert notes_of(form(), active()) == []


def test_notes_are_read_from_the_stored_form_and_one_of_before_has_none():
    record = form(bilateral_sciatica="present").record()
    assert stored_notes(record, active()) == notes_of(Form.of(record), active()) != []
    assert stored_notes({key: record[key] for key in ("answers", "age_years", "phrases")}, active()) == []
