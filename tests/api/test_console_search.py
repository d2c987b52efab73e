"""Search in the console: by reference, the hospital's id or a record number; posted, scoped and recorded."""

import pytest
from sqlalchemy import select

from shared.tables import AccessRecord
from tests.api.console_person import AtConsole
from tests.cases import case_for

MRN, EXTERNAL = "MRN-SECRET-7", "ORDER-4711"


@pytest.fixture
def case(submitter, operator, triage_all):
    body = case_for("urgent").body(MRN)
    body["encounter"] = (body.get("encounter") or {}) | {"external_id": EXTERNAL}
    intake = submitter.post("/v1/intakes", body).json
    triage_all()
    return operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json


@pytest.fixture
def person(app, caller):
    return AtConsole(app, caller("operator").key)


def search(person, typed):
    return person.press("/console/search", {"q": typed}).text


def test_a_case_is_found_by_each_of_its_names_as_people_type_them(person, case):
    reference = case["reference"]
    for typed in (reference, reference.lower().replace("-", ""), EXTERNAL, MRN, f" {MRN} "):
        page = search(person, typed)
        assert f"/console/referrals/{case['id']}" in page, typed
        assert MRN in page
    assert "Nothing is found" in search(person, "MRN-SECRET")
    assert "Nothing is found" in search(person, "MRN\0SECRET-7")
    assert "Type a reference" in search(person, " ")


def test_what_is_shown_is_recorded_and_a_search_without_a_hit_is_not(person, case, sessions):
    assert case["reference"] in search(person, MRN)
    search(person, "nobody")
    with sessions() as session:
        records = session.scalars(select(AccessRecord).where(AccessRecord.route == "/console/search")).all()
    assert [(len(each.patients), each.person, each.status) for each in records] == [(1, "Dr A. Okafor", 200)]


def test_other_facilities_and_queues_are_not_found(app, caller, case):
    for scope in ({"facility": "city"}, {"facility": "st-marys", "queues": ["neurology"]}):
        role = "department" if "queues" in scope else "operator"
        assert "Nothing is found" in search(AtConsole(app, caller(role, **scope).key), MRN)
        assert "Nothing is found" in search(AtConsole(app, caller(role, **scope).key), case["reference"])


def test_the_box_is_on_every_page_of_those_who_may_search_and_nothing_typed_is_in_an_address(app, caller, person, case):
    for path in ("/console", "/console/handover", f"/console/referrals/{case['id']}", "/console/search"):
        assert person.get(path).text.count('type="search"') == 1
    assert 'type="search"' not in AtConsole(app, caller("auditor").key).get("/console").text
    person.press("/console/wall")
    assert 'type="search"' not in person.get("/console").text
