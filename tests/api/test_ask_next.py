"""What to ask next, over HTTP: of a form on trial and of a referral, on a quarter of the threads, at a bounded cost."""

import threading
import time

import pytest

from services.api.context import EXTENSION
from shared.clinical.form import Form
from shared.protocols import active
from tests.api.conftest import Caller
from tests.cases import born, case_for

MINIMAL = {
    "patient": {"mrn": "MRN-1", "birth_date": "1980-05-17"},
    "symptoms": {"cannot_lift_leg_supine": "present"},
}


@pytest.fixture
def ask_next(app):
    return app.extensions[EXTENSION].ask_next


@pytest.fixture
def minimal(submitter, operator, triage_all):
    """The referral of a form that answers next to nothing."""
    intake = submitter.post("/v1/intakes", MINIMAL).json
    triage_all()
    return operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json


def test_the_preview_says_it_where_it_is_asked_for(submitter, ask_next):
    plain = submitter.post("/v1/triage/preview", MINIMAL).json
    answer = submitter.post("/v1/triage/preview?ask_next=true", MINIMAL)
    assert answer.status_code == 200, answer.text
    assert answer.json == plain | {"ask_next": answer.json["ask_next"]}
    assert 1 <= len(answer.json["ask_next"]) <= 8
    assert answer.json["ask_next"] == ask_next.of(Form({"cannot_lift_leg_supine": "present"}, 46), active())
    assert submitter.post("/v1/triage/preview?ask_next=false", MINIMAL).json == plain


@pytest.mark.parametrize("query", ["ask_next=1", "ask_next=True", "ask_next=", "ask_next=true&ask_next=true"])
def test_any_other_word_is_refused(query, submitter):
    answer = submitter.post(f"/v1/triage/preview?{query}", MINIMAL)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/ask_next"]


def test_every_answer_leads_where_the_entry_says(submitter):
    for entry in submitter.post("/v1/triage/preview?ask_next=true", MINIMAL).json["ask_next"]:
        section, name = entry["field"].split(".")
        for given, place in entry["answers"].items():
            value = float(given) if given.replace(".", "").isdigit() else given
            form = MINIMAL | {section: MINIMAL.get(section, {}) | {name: value}}
            decision = submitter.post("/v1/triage/preview", form).json["decision"]
            assert {name: decision[name] for name in place} == place, (entry["field"], given)


def test_a_referral_has_the_same_questions_as_its_form(minimal, operator, submitter, caller):
    asked = submitter.post("/v1/triage/preview?ask_next=true", MINIMAL).json["ask_next"]
    path = f"{minimal['links']['self']}/ask-next"
    assert operator.get(path).json == {"ask_next": asked}
    assert operator.get(minimal["links"]["self"]).json == minimal, "it was only read"
    assert caller("department", queues=[minimal["queue"]]).get(path).json == {"ask_next": asked}
    elsewhere = {"urgent", "orthopedics"} - {minimal["queue"]}
    assert caller("department", queues=list(elsewhere)[:1]).get(path).status_code == 404
    assert caller("department", facility="city", queues=[minimal["queue"]]).get(path).status_code == 404


def test_one_more_than_a_quarter_of_the_threads_is_sent_away_and_a_form_is_not(
    settings, ask_next, minimal, operator, submitter
):
    places = settings.api_threads // 4
    for _ in range(places):
        assert ask_next.slots.acquire(blocking=False)
    try:
        for answer in (
            submitter.post("/v1/triage/preview?ask_next=true", MINIMAL),
            operator.get(f"{minimal['links']['self']}/ask-next"),
        ):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json["type"] == "urn:psoas:problem:busy"
        assert submitter.post("/v1/triage/preview", MINIMAL).status_code == 200
        assert submitter.post("/v1/intakes", born(case_for("urgent").body())).status_code == 202
    finally:
        for _ in range(places):
            ask_next.slots.release()
    assert operator.get(f"{minimal['links']['self']}/ask-next").status_code == 200


def test_many_at_once_leave_every_place_free(app, submitter, ask_next, settings):
    statuses = []
    key = submitter.key

    def ask():
        statuses.append(Caller(app.test_client(), key).post("/v1/triage/preview?ask_next=true", MINIMAL).status_code)

    threads = [threading.Thread(target=ask) for _ in range(settings.api_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert ask_next.slots._value == settings.api_threads // 4  # noqa: SLF001 - to take one would change it


def test_it_costs_a_bounded_number_of_decisions(submitter):
    """Of processor time, against the preview alone: at most 164 decisions, each cheaper than a whole one."""

    def cost(path):
        spent = []
        for _ in range(5):
            began = time.thread_time()
            assert submitter.post(path, MINIMAL).status_code == 200
            spent.append(time.thread_time() - began)
        return min(spent)

    assert cost("/v1/triage/preview?ask_next=true") <= 164 * cost("/v1/triage/preview")
