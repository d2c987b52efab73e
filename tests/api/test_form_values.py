"""Which values of a form are accepted and which refused; a refused one is named by its pointer and not stored."""

from copy import deepcopy

import pytest
from sqlalchemy import func, select

from shared.tables import Intake
from tests.api.test_intakes import MINIMAL

LONG = "x" * 4001
UNSEEN = "\t\n\r\x00\x1b\x85\u2028\u2029\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def form(section, name, value):
    """Return the minimal form with one more answer."""
    body = deepcopy(MINIMAL)
    body.setdefault(section, {})[name] = value
    return body


TAKEN = [
    # an answer from the list, an honest "unknown" whether listed or not, and two ways to say that nobody asked
    ("symptoms", "onset", "sudden"),
    ("symptoms", "onset", "unknown"),
    ("symptoms", "onset", "not_asked"),
    ("symptoms", "onset", None),
    ("symptoms", "limiting_factor", "unknown"),
    ("examination", "knee_reflex_left", "unknown"),
    ("examination", "knee_reflex_left", "not_tested"),
    ("symptoms", "cannot_lift_leg_supine", "unknown"),
    ("symptoms", "cannot_lift_leg_supine", "absent"),
    # numbers, whole or not, at the ends of their ranges, or not known
    ("symptoms", "duration_days", 3),
    ("symptoms", "duration_days", 3.0),
    ("symptoms", "duration_days", 3.5),
    ("symptoms", "duration_days", 0),
    ("symptoms", "duration_days", 43830),
    ("symptoms", "duration_days", None),
    ("symptoms", "duration_days", "not_asked"),
    ("symptoms", "pain_score", 10),
    ("observations", "temperature_c", 25),
    ("examination", "mrc_hip_flexion_left", 0),
    ("examination", "exam_performed", False),
    ("examination", "exam_performed", None),
    ("examination", "exam_performed", "not_asked"),
    # words
    ("encounter", "free_text", ""),
    ("encounter", "free_text", "two\nlines,\ta tab\r\nand ž"),
    ("encounter", "free_text", "x" * 4000),
    ("encounter", "free_text", "not_asked"),
    ("encounter", "free_text", "bell\x07, nul\x00, \x85 and \u2028"),
    ("encounter", "free_text", "\u202eturned\u202c"),
    ("encounter", "external_id", "x" * 128),
    ("encounter", "external_id", None),
    ("encounter", "callback_phone", ""),
    ("encounter", "interpreter_language", "pt-BR"),
    ("patient", "family_name", "O'Brien-Núñez"),
    ("patient", "family_name", None),
    ("patient", "family_name", "Ali\u200czadeh"),  # a joiner is spelling
    ("patient", "mrn", "0"),
    ("patient", "mrn", " \uff11\u00ad2 "),
    # days and moments
    ("patient", "birth_date", "2026-11-23"),
    # days that give no age, which count as unanswered
    ("patient", "birth_date", "2026-11-24"),
    ("patient", "birth_date", "1900-01-01"),
    ("patient", "birth_date", "0001-01-01"),
    ("patient", "birth_date", "9999-12-31"),
    ("patient", "birth_date", "1906-01-01"),
    ("patient", "birth_date", "2024-02-29"),
    ("encounter", "submitted_at", "2026-11-23T09:00:00+01:00"),
    ("encounter", "submitted_at", "2026-11-23T09:00:00Z"),
    ("encounter", "submitted_at", "2026-11-23t09:00:00.123456z"),
    ("encounter", "submitted_at", "2026-11-23T09:00-05:00"),
    ("encounter", "submitted_at", "2026-11-24T09:29:00Z"),
    ("encounter", "submitted_at", None),
]

REFUSED = [
    # what is not on the list, or nearly is
    ("symptoms", "onset", "Sudden"),
    ("symptoms", "onset", "sudden "),
    ("symptoms", "onset", ""),
    ("symptoms", "onset", True),
    ("symptoms", "onset", 1),
    ("symptoms", "onset", ["sudden"]),
    ("symptoms", "onset", {}),
    ("symptoms", "back_pain", True),
    ("symptoms", "back_pain", "yes"),
    ("symptoms", "cannot_lift_leg_supine", None),
    ("symptoms", "cannot_lift_leg_supine", "not_asked"),
    ("symptoms", "cannot_lift_leg_supine", "yes"),
    # numbers from texts, booleans for numbers and the reverse, out of range
    ("symptoms", "duration_days", "3"),
    ("symptoms", "duration_days", "unknown"),
    ("symptoms", "duration_days", True),
    ("symptoms", "duration_days", False),
    ("symptoms", "duration_days", -1),
    ("symptoms", "duration_days", 43831),
    ("symptoms", "duration_days", 2**53 + 1),
    ("symptoms", "duration_days", 10**400),
    ("symptoms", "duration_days", []),
    ("symptoms", "pain_score", 10.01),
    ("observations", "temperature_c", 24.9),
    ("examination", "mrc_hip_flexion_left", 6),
    ("examination", "exam_performed", 0),
    ("examination", "exam_performed", 1),
    ("examination", "exam_performed", "true"),
    # words too long, of another type, or with what no person types
    ("encounter", "free_text", LONG),
    ("encounter", "free_text", 7),
    ("encounter", "external_id", ""),
    ("encounter", "external_id", "x" * 129),
    ("encounter", "external_id", 4711),
    ("encounter", "callback_phone", "+44\t20"),
    ("encounter", "interpreter_language", "Polish please"),
    ("patient", "family_name", "two\nlines"),
    ("patient", "mrn", ""),
    ("patient", "mrn", "   "),
    ("patient", "mrn", None),
    ("patient", "mrn", "not_asked"),
    ("patient", "mrn", 12345),
    ("patient", "mrn", "nul\x00"),
    ("patient", "mrn", "\u200b\u00ad"),
    *(("patient", "mrn", f"1{character}2") for character in UNSEEN),
    *(("patient", "family_name", f"O{character}Brien") for character in UNSEEN),
    *(("encounter", "external_id", f"1{character}2") for character in UNSEEN),
    *(("encounter", "referrer_contact", f"A{character}B") for character in UNSEEN),
    # days that never were, or are written otherwise
    ("patient", "birth_date", None),
    ("patient", "birth_date", "not_asked"),
    ("patient", "birth_date", "2023-02-29"),
    ("patient", "birth_date", "2023-13-01"),
    ("patient", "birth_date", "0000-00-00"),
    ("patient", "birth_date", "19800517"),
    ("patient", "birth_date", "17.05.1980"),
    ("patient", "birth_date", "1980-5-17"),
    ("patient", "birth_date", "1980-05-17T00:00:00Z"),
    ("patient", "birth_date", "\N{FULLWIDTH DIGIT ONE}980-05-17"),
    ("patient", "birth_date", 19800517),
    ("encounter", "submitted_at", "2026-11-23T09:00:00"),
    ("encounter", "submitted_at", "2026-11-23"),
    ("encounter", "submitted_at", "2026-11-23 09:00:00Z"),
    ("encounter", "submitted_at", "2026-11-31T09:00:00Z"),
    ("encounter", "submitted_at", "2026-11-23T25:00:00Z"),
    ("encounter", "submitted_at", "2026-11-23T09:00:00+99:00"),
    ("encounter", "submitted_at", "2026-11-24T09:31:00Z"),
    ("encounter", "submitted_at", "9999-12-31T23:59:59-14:00"),
    ("encounter", "submitted_at", 1764000000),
]


def described(case):
    return repr(case)[:40]


@pytest.mark.parametrize(("section", "name", "value"), TAKEN, ids=described)
def test_taken(section, name, value, submitter):
    assert submitter.post("/v1/intakes", form(section, name, value)).status_code == 202


@pytest.mark.parametrize(("section", "name", "value"), REFUSED, ids=described)
def test_refused_by_its_pointer_and_not_stored(section, name, value, submitter, sessions):
    answer = submitter.post("/v1/intakes", form(section, name, value))
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:psoas:problem:validation"
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{section}/{name}"]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Intake)) == 0


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/patient/mrn", "/patient/birth_date", "/symptoms/cannot_lift_leg_supine"]),
        ({**MINIMAL, "patient": None}, ["/patient/mrn", "/patient/birth_date"]),
        ({**MINIMAL, "symptoms": {}}, ["/symptoms/cannot_lift_leg_supine"]),
        ({**MINIMAL, "symptoms": {"cannot_lift_leg_supine": "present", "onsett": "sudden"}}, ["/symptoms/onsett"]),
        ({**MINIMAL, "symptomz": {}}, ["/symptomz"]),
        ({**MINIMAL, "histories": 1, "amend": None}, ["/histories", "/amend"]),
        ({**MINIMAL, "history": []}, ["/history"]),
        ({**MINIMAL, "history": "not_asked"}, ["/history"]),
        ({**MINIMAL, "history": {"Mr Smith": 1}}, ["/history"]),
        ({**MINIMAL, "Mr Smith": 1, "Mrs Smith": 2}, [""]),
        ({**MINIMAL, "x" * 65: 1}, [""]),
        ({**MINIMAL, "x" * 64: 1}, ["/" + "x" * 64]),
        ({**MINIMAL, "": 1}, [""]),
        ({**MINIMAL, "a/b~c": 1}, [""]),
        ([], [""]),
        ("form", [""]),
        (None, [""]),
        (3, [""]),
    ],
    ids=described,
)
def test_the_pointers_of_what_is_missing_or_unknown(body, pointers, submitter):
    answer = submitter.post("/v1/intakes", body)
    assert answer.status_code == 422
    assert sorted(error["pointer"] for error in answer.json["errors"]) == sorted(pointers)
    assert "Smith" not in answer.text


def test_a_section_that_is_null_was_not_asked(submitter):
    assert submitter.post("/v1/intakes", {**MINIMAL, "history": None, "observations": None}).status_code == 202


def test_at_most_twenty_errors_are_told(submitter):
    answer = submitter.post("/v1/intakes", {**MINIMAL, **{f"key-{number}": 1 for number in range(500)}})
    assert len(answer.json["errors"]) == 20


def test_no_answer_is_given_back(submitter):
    answer = submitter.post("/v1/intakes", form("symptoms", "onset", "SECRET-ANSWER"))
    assert "SECRET" not in answer.text
