"""Reading a form: every JSON value gives one, illegal answers count as missing, and nobody can be told from it."""

import copy
import json
import math
from datetime import date

import pytest

from shared.clinical.form import Form, age_in_years, read
from shared.clinical.triage import triage
from shared.protocols import active
from tests.unit.clinical.calm import TODAY, body, form

GARBAGE = [
    None,
    True,
    3,
    "form",
    [],
    [{}],
    {},
    {"symptoms": None},
    {"symptoms": [1]},
    {"symptoms": {"onset": {}}},
    {1: {2: 3}},
]


@pytest.mark.parametrize("value", GARBAGE, ids=repr)
def test_a_form_without_a_usable_answer_is_urgent(value):
    decision = triage(read(value, active(), today=TODAY), active())
    assert decision.red_flags == ("RF_UNANSWERED",)
    assert (decision.queue, decision.priority, decision.incomplete) == ("urgent", "urgent", True)
    assert decision.imaging_status == "hold_for_review"


# field, value, whether it is a legal answer
ANSWERS = [
    ("onset", "sudden", True),
    ("onset", "unknown", True),
    ("onset", "Sudden", False),
    ("onset", " sudden", False),
    ("onset", "not_asked", False),
    ("onset", None, False),
    ("onset", ["sudden"], False),
    ("onset", True, False),
    ("limiting_factor", "unsure", True),
    ("limiting_factor", "unknown", True),
    ("fever", "present", True),
    ("fever", "yes", False),
    ("knee_reflex_left", "not_tested", True),
    ("duration_days", 0, True),
    ("duration_days", 0.5, True),
    ("duration_days", 43830, True),
    ("duration_days", 43830.1, False),
    ("duration_days", -1, False),
    ("duration_days", "3", False),
    ("duration_days", True, False),
    ("duration_days", math.nan, False),
    ("duration_days", math.inf, False),
    ("duration_days", 10**400, False),
    ("mrc_hip_flexion_left", 4.5, True),
    ("temperature_c", 24.9, False),
    ("exam_performed", True, True),
    ("exam_performed", 1, False),
    ("exam_performed", "true", False),
    ("interpreter_language", "pt-BR", True),
    ("interpreter_language", "Mary Jones", False),
]


@pytest.mark.parametrize(("field", "value", "legal"), ANSWERS)
def test_a_legal_answer_is_kept_as_given_and_another_counts_as_missing(field, value, legal):
    answers = form(**{field: value}).answers
    assert (field in answers) is legal
    assert not legal or answers[field] is value


# born, today, age
AGES = [
    ("2010-11-22", date(2026, 11, 22), 16),
    ("2010-11-23", date(2026, 11, 22), 15),
    ("2008-02-29", date(2026, 2, 28), 17),
    ("2008-02-29", date(2026, 3, 1), 18),
    ("2008-02-29", date(2028, 2, 29), 20),
    ("2026-11-22", date(2026, 11, 22), 0),
    ("2026-11-23", date(2026, 11, 22), None),
    ("1906-11-22", date(2026, 11, 22), 120),
    ("1905-11-22", date(2026, 11, 22), None),
    ("2026-02-30", date(2026, 11, 22), None),
    ("20100101", date(2026, 11, 22), None),
    ("2010-W01-1", date(2026, 11, 22), None),
    ("2010-01-01T00:00:00", date(2026, 11, 22), None),
    ("\u0662010-01-01", date(2026, 11, 22), None),
    ("0000-01-01", date(2026, 11, 22), None),
    (20100101, date(2026, 11, 22), None),
    (None, date(2026, 11, 22), None),
]


@pytest.mark.parametrize(("born", "today", "age"), AGES)
def test_age_is_completed_years(born, today, age):
    assert age_in_years(born, today) == age


def test_unknown_sections_and_fields_and_their_order_do_not_matter():
    given = body(fever="present", back_pain="present")
    turned = {name: dict(reversed(section.items())) for name, section in reversed(given.items())}
    strange = {**turned, "billing": {"onset": "sudden"}, "symptoms": {**turned["symptoms"], "shoe_size": 43}}
    assert read(strange, active(), today=TODAY) == read(given, active(), today=TODAY)


def test_reading_changes_nothing():
    given = body(free_text="wet myself", onset=["sudden"])
    before = copy.deepcopy(given)
    read(given, active(), today=TODAY)
    assert given == before


def test_a_record_holds_neither_identity_nor_free_text():
    given = body(free_text="Canary wet myself")
    identity = [field for field in active().form.fields.values() if field.keep != "answer"]
    for field in identity:
        given[field.section].setdefault(field.name, "Canary")
    given["patient"]["birth_date"] = "1981-01-01"
    record = read(given, active(), today=TODAY).record()
    assert "Canary" not in json.dumps(record)
    assert "1981" not in json.dumps(record)
    assert not {field.name for field in identity} & set(record["answers"])
    assert (record["age_years"], record["phrases"]) == (45, ["bladder"])


def test_a_record_survives_json():
    kept = form(free_text="wet myself", onset="unknown", duration_days=0.5, egfr=None, exam_performed=False)
    assert Form.of(json.loads(json.dumps(kept.record()))) == kept


def test_the_fields_of_identity():
    kept = {keep: [f.name for f in active().form.fields.values() if f.keep == keep] for keep in ("identity", "intake")}
    assert kept["intake"] == ["external_id", "submitted_at"]
    assert kept["identity"] == [
        "callback_phone",
        "referrer_contact",
        "free_text",
        "mrn",
        "family_name",
        "given_name",
        "birth_date",
    ]


def test_only_three_answers_are_required_and_seven_are_red_flag_questions():
    fields = active().form.fields.values()
    assert [field.path for field in fields if field.required] == [
        "patient.mrn",
        "patient.birth_date",
        "symptoms.cannot_lift_leg_supine",
    ]
    assert [field.name for field in active().form.first_tier] == [
        "onset",
        "duration_days",
        "progression",
        "bilateral_leg_weakness",
        "bladder_change",
        "bowel_change",
        "saddle_numbness",
    ]


def test_every_question_may_be_answered_with_unknown():
    choices = [field for field in active().form.fields.values() if field.values]
    assert all("unknown" in field.accepts for field in choices)
    assert [field.name for field in choices if "not_asked" not in field.accepts] == ["cannot_lift_leg_supine"]
