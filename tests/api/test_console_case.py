"""The page of a referral: taking over, a lower place, what is unanswered, when imaging is due; and test intakes."""

import pytest

from services.api.console.pages.cases.test_intake import HOW_TO_ADD
from shared.store.access import facilities
from tests.api.console_person import AtConsole
from tests.cases import born, case_for

ME = "Dr A. Okafor"


@pytest.fixture
def person(app, caller):
    return AtConsole(app, caller("operator").key)


@pytest.fixture
def form():
    """The fields that a browser sends for a form that is an emergency."""
    body = case_for("urgent").body("TEST-1")
    sent = {f"{section}.{name}": value for section, fields in body.items() for name, value in fields.items()}
    return {path: str(value).lower() if isinstance(value, bool) else value for path, value in sent.items()}


def test_one_case_is_taken_over_with_a_reason(person, referral, operator):
    case = referral("urgent")
    path = f"/console/referrals/{case['id']}"
    operator.post(f"{case['links']['self']}/acknowledge", {"by": "Nurse M. Haile"})
    assert "Take over from Nurse M. Haile" in person.get(path).text
    assert person.press(f"{path}/take-over", {}).status_code == 422
    assert person.press(f"{path}/take-over", {"reason": "Called to theatre."}).status_code == 303
    assert operator.get(case["links"]["self"]).json["acknowledged"]["by"] == ME
    page = person.get(path).text
    assert "Called to theatre." in page
    assert "Take over from" not in page


def test_who_it_is_is_corrected_with_a_reason(person, referral, operator, app, caller):
    case = referral("urgent")
    path = f"/console/referrals/{case['id']}"
    colleague = AtConsole(app, caller("department", facility="st-marys", queues=["urgent"]).key)
    assert "Correct who this is" not in colleague.get(path).text
    wrong = {"birth_date": "1980-13-01", "family_name": "Typed <b>once</b>", "reason": "Mistyped."}
    for form in ({"mrn": "MRN-7"}, {"reason": "Mistyped."}, wrong):
        answer = person.press(f"{path}/correct-identity", form)
        assert answer.status_code == 422
    assert "patient/birth_date" in answer.text
    assert "Typed &lt;b&gt;once" in answer.text
    answer = person.press(f"{path}/correct-identity", {"mrn": "MRN-7", "version": "0", "reason": "Mistyped."})
    assert answer.status_code == 412
    answer = person.press(f"{path}/correct-identity", {"mrn": "MRN-7", "given_name": " ", "reason": "Mistyped."})
    assert answer.status_code == 303
    assert "You corrected the patient of" in person.get(answer.headers["Location"]).text
    assert operator.get(case["links"]["self"]).json["patient"] == case["patient"] | {"mrn": "MRN-7"}


def test_imaging_stands_before_the_questions_that_are_open(person, submitter, triage_all):
    form = {"patient": {"mrn": "A", "birth_date": "1980-01-01"}, "symptoms": {"cannot_lift_leg_supine": "present"}}
    intake = submitter.post("/v1/intakes", form).json
    triage_all()
    case = submitter.get(intake["links"]["self"]).json["referral"]
    page = person.get(f"/console/referrals/{case['id']}").text
    assert page.index('id="imaging-title"') < page.index('id="unanswered-title"')


def test_a_lower_place_is_shown_and_confirmed_with_a_reason(person, submitter, operator, triage_all):
    red = {"bladder_change": "new_or_worse", "onset": "sudden"}
    intake = submitter.post("/v1/intakes", born(case_for("clinical_review", "routine").body(**red))).json
    triage_all()
    case = operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json
    assert "lower place" not in person.get(f"/console/referrals/{case['id']}").text
    calmer = {"symptoms.bladder_change": "none"}
    shown = person.press(f"/console/call-back/{case['id']}/preview", calmer, **{"HX-Request": "true"}).text
    assert "the case keeps its place until a person confirms the lower one" in shown
    saved = person.press(f"/console/call-back/{case['id']}/answers", calmer)
    newer = operator.get(operator.get(case["links"]["self"]).json["links"]["superseded_by"]).json
    assert newer["downgrade_proposed"] is True
    assert "They rank lower" in person.get(saved.headers["Location"]).text
    path = f"/console/referrals/{newer['id']}"
    assert "A lower place is proposed" in person.get(path).text
    assert person.press(f"{path}/confirm-downgrade", {"reason": ""}).status_code == 422
    assert person.press(f"{path}/confirm-downgrade", {"reason": "Seen by telephone."}).status_code == 303
    after = operator.get(newer["links"]["self"]).json
    assert (after["downgrade_proposed"], after["queue"] == newer["queue"]) == (False, False)
    assert person.press(f"{path}/confirm-downgrade", {"reason": "Again."}).status_code == 409


def test_a_case_lists_each_unanswered_question_in_the_words_of_the_form(person, submitter, operator, triage_all):
    body = {"patient": {"mrn": "MRN-9", "birth_date": "1980-01-01"}, "symptoms": {"cannot_lift_leg_supine": "present"}}
    intake = submitter.post("/v1/intakes", body).json
    triage_all()
    case = operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json
    labels = {label for rule in case["decision"]["undetermined"] for label in rule["labels"]}
    assert labels
    page = person.get(f"/console/referrals/{case['id']}").text
    listed = page[page.index("Unanswered questions") : page.index("Ask them by telephone")]
    assert listed.count("<li>") == len(labels)


def test_imaging_says_when_each_study_is_due_and_the_evidence_what_counted(person, referral):
    case = referral("urgent")
    page = person.get(f"/console/referrals/{case['id']}").text
    assert case["imaging"]
    for each in case["imaging"]:
        assert f'datetime="{each["due_by"]}"' in page
        assert all(label in page for label in each["labels"])
    for line in case["decision"]["evidence_lines"]:
        assert f"{line['text']} ({line['points']})" in page
    assert case["decision"]["teams"][0] in page


def test_a_tried_form_is_sent_into_a_test_facility_and_found_there(person, form, sessions, triage_all, operator):
    assert HOW_TO_ADD in person.get("/console/try").text
    refused = person.press("/console/try", {**form, "send": "1", "facility": "practice"})
    assert (refused.status_code, HOW_TO_ADD in refused.text) == (409, True)
    with sessions.begin() as session:
        facilities.register(session, "practice", facilities.TEST)
        facilities.register(session, "st-marys")
    assert ">practice</option>" in person.get("/console/try").text
    for live in ("st-marys", "unknown", ""):
        assert person.press("/console/try", {**form, "send": "1", "facility": live}).status_code == 422
    sent = person.press("/console/try", {**form, "send": "1", "facility": "practice"})
    assert sent.status_code == 303
    assert "not triaged yet" in person.get(sent.headers["Location"]).text
    triage_all()
    assert "It became" in person.get(sent.headers["Location"]).text
    (found,) = operator.get("/v1/referrals?test=true").json["referrals"]
    assert (found["facility"], found["queue"]) == ("practice", "urgent")
    assert operator.get("/v1/referrals").json["referrals"] == []


def test_trying_without_sending_stores_nothing(person, form, sessions, operator):
    with sessions.begin() as session:
        facilities.register(session, "practice", facilities.TEST)
    assert "Decision" in person.press("/console/try", form).text
    assert operator.get("/v1/referrals?test=true&status=all").json["referrals"] == []


def test_a_key_of_a_live_facility_sends_no_test(app, caller, form, sessions):
    own = AtConsole(app, caller("operator", facility="st-marys").key)
    with sessions.begin() as session:
        facilities.register(session, "practice", facilities.TEST)
    assert own.press("/console/try", {**form, "send": "1", "facility": "practice"}).status_code == 409
