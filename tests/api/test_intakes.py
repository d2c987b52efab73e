"""Posting a form and reading what became of it."""

import json
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from services.api.context import EXTENSION
from shared.tables import Decision, Intake, Referral
from tests.cases import case_for, cases

MINIMAL = {
    "patient": {"mrn": "MRN-1", "birth_date": "1980-05-17"},
    "symptoms": {"cannot_lift_leg_supine": "present"},
}
DECISION = [
    *("queue", "priority", "red_flags", "pattern", "headline", "suspected", "send_to", "imaging_status", "imaging"),
    *("cautions", "incomplete", "evidence", "mentioned", "ambulance", "contact_minutes", "teams", "evidence_lines"),
    *("reasons", "undetermined", "protocol", "decided_at"),
]


def test_a_posted_form_is_received_at_once(submitter):
    body = case_for("urgent").body() | {"encounter": {"external_id": "HIS-4711"}}
    answer = submitter.post("/v1/intakes", body)
    assert answer.status_code == 202
    assert list(answer.json) == ["id", "external_id", "status", "lane", "received_at", "notes", "links"]
    assert UUID(answer.json["id"])
    assert answer.json["external_id"] == "HIS-4711"
    assert answer.json["status"] == "received"
    assert answer.json["lane"] == "priority"
    assert answer.json["received_at"].endswith("Z")
    assert answer.headers["Location"] == answer.json["links"]["self"] == f"/v1/intakes/{answer.json['id']}"


def test_until_triage_there_is_no_decision(submitter):
    posted = submitter.post("/v1/intakes", MINIMAL).json
    intake = submitter.get(posted["links"]["self"]).json
    assert intake == {
        "id": posted["id"],
        "external_id": None,
        "amends": None,
        "facility": "st-marys",
        "status": "received",
        "lane": posted["lane"],
        "received_at": posted["received_at"],
        "triaged_at": None,
        "notes": [],
        "decision": None,
        "referral": None,
    }


def test_after_triage_there_is_a_decision_and_a_referral(submitter, triage_all):
    path = submitter.post("/v1/intakes", case_for("urgent").body()).headers["Location"]
    triage_all()
    intake = submitter.get(path).json
    assert intake["status"] == "triaged"
    assert intake["triaged_at"] > intake["received_at"]
    assert list(intake["decision"]) == DECISION
    referral = intake["referral"]
    assert referral["queue"] == "urgent"
    assert referral["status"] == "queued"
    assert referral["links"] == {"self": f"/v1/referrals/{referral['id']}"}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_worked_case_is_decided_as_it_says(case, submitter, triage_all):
    body = case.body()
    path = submitter.post("/v1/intakes", body).headers["Location"]
    triage_all()
    decision = submitter.get(path).json["decision"]
    wanted = ("study", "within", "instead_of")
    decision["imaging"] = [{name: study[name] for name in wanted} for study in decision["imaging"]]
    assert {name: decision[name] for name in case.expected} == case.expected


def test_three_answers_are_enough_for_a_safe_decision(submitter, triage_all):
    path = submitter.post("/v1/intakes", MINIMAL).headers["Location"]
    triage_all()
    decision = submitter.get(path).json["decision"]
    assert (decision["queue"], decision["priority"]) == ("urgent", "urgent")
    assert decision["red_flags"] == ["RF_UNANSWERED"]
    assert decision["incomplete"] is True


def test_a_failed_triage_has_no_decision_and_says_so(submitter, operator, triage_all, sessions):
    path = submitter.post("/v1/intakes", case_for("neurology").body()).headers["Location"]
    triage_all()
    with sessions.begin() as session:
        session.execute(Decision.__table__.delete())
        session.execute(update(Referral).values(pattern="triage_failed", red_flags=[]))
    intake = submitter.get(path).json
    assert (intake["status"], intake["decision"]) == ("triaged", None)
    referral = operator.get(intake["referral"]["links"]["self"]).json
    assert (referral["pattern"], referral["decision"], referral["imaging"]) == ("triage_failed", None, [])


def test_screening_that_fails_leads_to_the_lane_that_waits_for_nothing(submitter, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("services.api.forms.screening.screen", fail)
    assert submitter.post("/v1/intakes", case_for("neurology").body()).json["lane"] == "priority"


@pytest.mark.parametrize(("queue", "lane"), [("urgent", "priority"), ("orthopedics", "routine")])
def test_the_lane_is_announced_and_nothing_else(queue, lane, submitter, broker):
    submitter.post("/v1/intakes", case_for(queue).body("CANARY-MRN"))
    _, message = broker.blpop(f"triage.{lane}", timeout=5)
    assert b"CANARY" not in message


def test_the_day_of_the_form_is_the_senders(submitter, sessions):
    body = MINIMAL | {"encounter": {"submitted_at": "2026-11-23T00:30:00+09:00"}}
    assert submitter.post("/v1/intakes", body).status_code == 202
    with sessions() as session:
        assert session.scalar(select(Intake.today)).isoformat() == "2026-11-23"


def test_a_key_without_facility_cannot_post(caller):
    answer = caller("admin").post("/v1/intakes", MINIMAL)
    assert answer.status_code == 403
    assert caller("admin", facility="st-marys").post("/v1/intakes", MINIMAL).status_code == 202


def test_an_intake_that_does_not_exist(submitter):
    assert submitter.get("/v1/intakes/0197c9a0-0000-7000-8000-000000000000").status_code == 404
    assert submitter.get("/v1/intakes/no-uuid").status_code == 404


def test_a_preview_decides_and_stores_nothing(submitter, caller, sessions):
    for sender in (submitter, caller("operator"), caller("department", queues=["urgent"]), caller("admin")):
        answer = sender.post("/v1/triage/preview", case_for("urgent").body())
        assert answer.status_code == 200
        assert list(answer.json["decision"]) == DECISION
    assert caller("auditor").post("/v1/triage/preview", MINIMAL).status_code == 403
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Intake)) == 0


def test_what_is_unseen_in_free_text_is_stored_as_spaces_and_hides_no_red_flag(submitter, sessions, app):
    words = "She\u00a0wet her\u00adself\x00,\u2028 again\u202e.\tA tab\r\nand\u200d a line"
    body = {**MINIMAL, "encounter": {"free_text": words}}
    assert submitter.post("/v1/intakes", body).status_code == 202
    with sessions() as session:
        stored = session.scalars(select(Intake)).one()
    cipher = app.extensions[EXTENSION].cipher
    sealed = json.loads(cipher.open(stored.identity, row=str(stored.id)))
    assert sealed["free_text"] == "She\u00a0wet her\u00adself ,  again .\tA tab\r\nand\u200d a line"
    assert stored.answers["phrases"] == ["bladder"]
