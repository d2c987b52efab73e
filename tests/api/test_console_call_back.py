"""Calling back in the console: who waits, what is shown and recorded, where answers lead, and how the call ended."""

import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, text

from shared.tables import AccessRecord, Event, Referral
from tests.api.console_person import AtConsole
from tests.cases import born, case_for

PHONE = "+44 20 7946 0999"
RED = {"symptoms.bladder_change": "new_or_worse", "symptoms.onset": "sudden"}


@pytest.fixture
def sent(submitter, operator, triage_all):
    """Return a function that posts a form with a number to call back, and returns its referral."""

    def of(queue="clinical_review", priority="prompt", mrn="MRN-1", **symptoms):
        body = born(case_for(queue, priority).body(mrn, **symptoms))
        contact = {"callback_phone": PHONE, "interpreter_language": "ti", "completed_by": "proxy"}
        body["encounter"] = (body.get("encounter") or {}) | contact
        intake = submitter.post("/v1/intakes", body).json
        triage_all()
        return operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json

    return of


@pytest.fixture
def person(app, caller):
    return AtConsole(app, caller("operator").key)


def read(operator, referral):
    return operator.get(referral["links"]["self"]).json


def test_who_waits_is_listed_soonest_first_with_number_language_and_who_completed_it(person, sent, sessions):
    later, sooner = sent("clinical_review", "prompt"), sent("urgent", "emergency", mrn="MRN-2")
    assert later["contact_by"] > sooner["contact_by"]
    page = person.get("/console/call-back").text
    assert 0 < page.index(f"row-{sooner['id']}") < page.index(f"row-{later['id']}")
    for word in (PHONE, ">ti<", "Somebody on the patient&#39;s behalf", "Call within"):
        assert page.count(word) >= 2, word
    with sessions() as session:
        shown = session.scalars(select(AccessRecord).where(AccessRecord.route == "/console/call-back")).all()
    assert [(len(each.patients), each.person) for each in shown] == [(2, "Dr A. Okafor")]


def test_cases_that_were_called_that_ended_or_that_need_no_call_do_not_wait(person, sent, operator):
    called, closed = sent(), sent(mrn="MRN-2")
    routine = sent("clinical_review", "routine", mrn="MRN-3")
    assert routine["contact_by"] is None
    operator.post(f"{called['links']['self']}/contacted", {"by": "N", "outcome": "reached"})
    operator.post(f"{closed['links']['self']}/return", {"by": "N", "reason": "Sent twice."})
    tried = sent(mrn="MRN-4")
    operator.post(f"{tried['links']['self']}/contacted", {"by": "N", "outcome": "no_answer"})
    page = person.get("/console/call-back").text
    waiting = {each["id"]: f"row-{each['id']}" in page for each in (called, closed, routine, tried)}
    assert [waiting[each["id"]] for each in (called, closed, routine, tried)] == [False, False, False, True]


def test_a_department_sees_those_of_its_queues_and_facility_alone(app, caller, sent):
    own, other = sent("urgent", "emergency"), sent("clinical_review", "prompt", mrn="MRN-2")
    page = AtConsole(app, caller("department", facility="st-marys", queues=["urgent"]).key).get("/console/call-back")
    assert (own["id"] in page.text, other["id"] in page.text) == (True, False)
    elsewhere = AtConsole(app, caller("department", facility="city", queues=["urgent"]).key)
    assert own["id"] not in elsewhere.get("/console/call-back").text
    assert elsewhere.get(f"/console/call-back?case={own['id']}").status_code == 404
    assert elsewhere.press(f"/console/call-back/{own['id']}/preview", RED).status_code == 404


def test_the_chosen_case_asks_what_can_change_most_first(person, sent, operator):
    case = sent("clinical_review", "prompt", bladder_change="unknown", saddle_numbness="unknown")
    asked = [each["field"] for each in operator.get(f"{case['links']['self']}/ask-next").json["ask_next"]]
    assert len(asked) > 1
    page = person.get(f"/console/call-back?case={case['id']}").text
    places = [page.index(f'name="{field}"') for field in asked]
    assert places == sorted(places)
    leads = re.sub(r"<[^>]*>", "", page[places[0] : places[1]]).split()
    assert "Yes, new or worse ▲ Emergency in Urgent" in " ".join(leads)  # where an answer leads
    assert person.get("/console/call-back?case=none").status_code == 404


def test_typed_answers_show_where_the_case_would_go_and_store_nothing(person, sent, operator, sessions):
    case = sent()
    path = f"/console/call-back/{case['id']}/preview"
    for headers in ({}, {"HX-Request": "true"}):
        page = person.press(path, RED, **headers).text
        assert ("<html" in page) is not bool(headers)
        assert "More urgent than now (Prompt)" in page
        assert "Emergency" in page
    assert "Type an answer" in person.press(path, {}, **{"HX-Request": "true"}).text
    wrong = person.press(path, {"symptoms.onset": "yesterday"})
    assert (wrong.status_code, "symptoms.onset" in wrong.text) == (422, True)
    lower = person.press(f"/console/call-back/{sent('urgent', 'emergency', mrn='MRN-2')['id']}/preview", {})
    assert lower.status_code == 200
    with sessions() as session:
        assert session.query(Referral).count() == 2
    assert read(operator, case)["status"] == "queued"


def test_saved_answers_make_a_new_version_under_the_name_of_the_person(person, sent, operator):
    case = sent()
    form = {**RED, "note": "By telephone.", "version": "1"}
    answer = person.press(f"/console/call-back/{case['id']}/answers", form)
    assert answer.status_code == 303
    before = read(operator, case)
    assert before["status"] == "superseded"
    newer = operator.get(before["links"]["superseded_by"]).json
    assert (newer["queue"], newer["priority"]) == ("urgent", "emergency")
    assert answer.headers["Location"] == f"/console/call-back?case={newer['id']}&done=answers"
    assert "The answers are saved." in person.get(answer.headers["Location"]).text
    events = operator.get(newer["links"]["events"]).json["events"]
    ((by, data),) = [(each["by"], each["data"]) for each in events if each["type"] == "referral.answered"]
    assert (by, data["note"], data["fields"]) == ("Dr A. Okafor", "By telephone.", sorted(RED, reverse=True))


@pytest.mark.parametrize(
    ("form", "status"),
    [({"symptoms.onset": "yesterday"}, 422), ({}, 422), ({**RED, "version": "7"}, 412)],
)
def test_answers_that_cannot_be_taken_change_nothing(form, status, person, sent, operator):
    case = sent()
    answer = person.press(f"/console/call-back/{case['id']}/answers", form)
    assert (answer.status_code, 'role="alert"' in answer.text) == (status, True)
    assert read(operator, case)["status"] == "queued"


def test_answers_to_a_case_that_was_answered_meanwhile_are_refused(person, sent):
    case = sent()
    path = f"/console/call-back/{case['id']}/answers"
    assert person.press(path, RED).status_code == 303
    assert person.press(path, RED).status_code == 409


@pytest.mark.parametrize(("outcome", "ends"), [("reached", True), ("not_needed", True), ("no_answer", False)])
def test_how_the_call_ended_is_one_press(outcome, ends, person, sent, operator):
    case = sent()
    form = {"outcome": outcome, "note": "Spoke to the daughter.", "version": "1", "call": "1"}
    answer = person.press(f"/console/referrals/{case['id']}/contacted", form)
    assert urlsplit(answer.headers["Location"]).path == "/console/call-back"
    contacted = read(operator, case)["contacted"]
    assert (contacted and contacted["by"]) == ("Dr A. Okafor" if ends else None)
    page = person.get(answer.headers["Location"]).text
    assert "Noted:" in page
    assert (f"row-{case['id']}" in page) is not ends
    assert "Spoke to the daughter." in person.get(f"/console/referrals/{case['id']}").text


def test_an_overdue_call_shows_on_the_board_the_queue_and_the_case(person, sent, sessions):
    case = sent("urgent", "emergency")
    paths = ("/console", "/console/queues/urgent", "/console/call-back", f"/console/referrals/{case['id']}")
    for path in paths:
        assert "Call overdue" not in person.get(path).text
    with sessions.begin() as session:
        session.execute(text("update referrals set contact_by = timestamptz '2026-11-23 09:20+00'"))
    for path in paths:
        assert "Call overdue 10 min" in person.get(path).text, path


def test_what_was_sent_is_shown_on_a_page_of_its_own_and_each_reading_is_recorded(person, sent, sessions):
    case = sent()
    path = f"/console/referrals/{case['id']}"
    assert PHONE not in person.get(path).text
    page = person.get(f"{path}/form").text
    assert PHONE in page
    assert "Who filled in the form?" in page
    with sessions() as session:
        events = session.scalars(select(Event).where(Event.type == "referral.form_read")).all()
        records = session.scalars(select(AccessRecord).where(AccessRecord.route.endswith("/form"))).all()
    assert [each.by for each in events] == ["Dr A. Okafor"]
    assert [(str(each.referral_id), len(each.patients)) for each in records] == [(case["id"], 1)]
