"""Old answers and birth dates without an age are taken, told in notes, and told again wherever the intake is read."""

from copy import deepcopy
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from services.api.app import create_app
from services.api.context import EXTENSION
from shared.clinical.presentation.notes import NO_AGE
from shared.tables import Intake
from tests.api.conftest import Caller
from tests.api.test_intakes import MINIMAL

NOTES = [
    {"pointer": "/patient/birth_date", "detail": NO_AGE},
    {"pointer": "/symptoms/bilateral_sciatica", "detail": "Old answer read as new_or_worse."},
    {"pointer": "/symptoms/swallowing_difficulty", "detail": "Old answer read as none."},
]
FIELDS = ("bilateral_sciatica", "breathlessness_rest_or_lying", "swallowing_difficulty")


def old_form():
    body = deepcopy(MINIMAL)
    body["patient"]["birth_date"] = "1900-01-01"
    body["symptoms"] |= {"bilateral_sciatica": "present", "swallowing_difficulty": "absent"}
    return body


@pytest.fixture
def later(settings, submitter):
    """Return the submitter at an application whose clock is another."""
    opened = []

    def at(now):
        other = create_app(settings, now=lambda: now)
        opened.append(other)
        return Caller(other.test_client(), submitter.key)

    yield at
    for other in opened:
        other.extensions[EXTENSION].close()


def test_the_notes_stand_in_the_receipt_in_a_replay_and_in_the_intake(submitter, triage_all):
    posted = submitter.post("/v1/intakes", old_form(), Idempotency_Key="old")
    assert (posted.status_code, posted.json["notes"]) == (202, NOTES)
    again = submitter.post("/v1/intakes", old_form(), Idempotency_Key="old")
    assert (again.headers["Idempotency-Replayed"], again.json["notes"]) == ("true", NOTES)
    triage_all()
    replayed = submitter.post("/v1/intakes", old_form(), Idempotency_Key="old")
    assert (replayed.status_code, replayed.json["notes"]) == (200, NOTES)
    intake = submitter.get(posted.headers["Location"]).json
    assert intake["notes"] == NOTES
    assert "RF_BILATERAL_RADICULAR" in intake["decision"]["red_flags"]
    missing = {path for rule in intake["decision"]["undetermined"] for path in rule["missing"]}
    assert "patient.age_years" in missing


def test_the_form_is_stored_as_it_was_sent(submitter, sessions):
    submitter.post("/v1/intakes", old_form())
    with sessions() as session:
        stored = session.scalar(select(Intake.answers))
    assert (stored["answers"]["bilateral_sciatica"], stored["age_years"]) == ("present", None)


def test_a_form_of_before_is_shown_without_notes(submitter, sessions):
    path = submitter.post("/v1/intakes", old_form()).headers["Location"]
    with sessions.begin() as session:
        intake = session.scalar(select(Intake))
        intake.answers = {key: said for key, said in intake.answers.items() if key != "mentioned"}
    assert submitter.get(path).json["notes"] == []


def test_a_form_without_anything_to_say_has_no_notes(submitter):
    assert submitter.post("/v1/intakes", MINIMAL).json["notes"] == []
    assert submitter.post("/v1/triage/preview", MINIMAL).json["notes"] == []


def test_a_preview_says_the_same(submitter):
    assert submitter.post("/v1/triage/preview", old_form()).json["notes"] == NOTES


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("path", ["/v1/intakes", "/v1/triage/preview"])
def test_old_answers_are_taken_until_the_last_day_and_then_refused(name, path, later, sessions):
    body = deepcopy(MINIMAL)
    body["symptoms"][name] = "absent"
    assert later(datetime(2027, 12, 31, 23, 59, tzinfo=UTC)).post(path, body).status_code in (200, 202)
    with sessions() as session:
        before = session.scalar(select(func.count()).select_from(Intake))
    refused = later(datetime(2028, 1, 1, tzinfo=UTC)).post(path, body)
    assert refused.status_code == 422
    [error] = refused.json["errors"]
    assert error["pointer"] == f"/symptoms/{name}"
    assert error["detail"].startswith("Has to be one of: none, new_or_worse")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Intake)) == before


def test_the_published_form_lists_the_new_answers_alone(submitter):
    fields = submitter.get("/v1/form").json["properties"]["symptoms"]["properties"]
    for name in FIELDS:
        assert {"none", "new_or_worse", "longstanding_unchanged"} <= set(fields[name]["enum"])
        assert {"present", "absent"}.isdisjoint(fields[name]["enum"])


def test_no_other_field_takes_an_old_answer(submitter):
    body = deepcopy(MINIMAL)
    body["symptoms"]["bladder_change"] = "present"
    assert submitter.post("/v1/intakes", body).status_code == 422
