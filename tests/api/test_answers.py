"""What is asked on the telephone becomes a new version: higher at once, lower only when a person confirms it."""

from datetime import datetime, timedelta

import orjson
import pytest
from sqlalchemy import func, insert, select, update
from uuid_utils.compat import uuid7

from services.api.context import EXTENSION
from shared.platform.crypto import open_identity
from shared.tables import Delivery, Destination, Event, Intake, Referral
from tests.api.test_canary import log_text, tells  # noqa: F401 - a fixture
from tests.cases import born, case_for

BY = {"by": "Nurse B. Lind"}
RED = {"symptoms.bladder_change": "new_or_worse", "symptoms.onset": "sudden"}
CALM = {"symptoms.bladder_change": "none"}
DOCTOR = {"by": "Dr A. Okafor"}
PLACE = ("queue", "priority", "status", "acknowledge_by", "escalation_level", "acknowledged")


@pytest.fixture
def first(submitter, operator, triage_all):
    """Return a function that posts a form, with more in its encounter where given, and returns its referral."""

    def of(queue="clinical_review", priority="routine", symptoms=None, **encounter):
        body = born(case_for(queue, priority).body(**(symptoms or {})))
        body["encounter"] = (body.get("encounter") or {}) | encounter
        intake = submitter.post("/v1/intakes", body).json
        triage_all()
        return operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json

    return of


@pytest.fixture
def answer(operator):
    """Return a function that answers questions about a referral."""

    def do(referral, answers, sender=operator, headers=None, **body):
        return sender.post(f"{referral['links']['self']}/answers", BY | {"answers": answers} | body, **(headers or {}))

    return do


@pytest.fixture
def act(operator):
    """Return a function that does an action on a referral, as it was read."""

    def do(referral, action, **body):
        return operator.post(f"{referral['links']['self']}/{action}", body)

    return do


@pytest.fixture
def emergency(first):
    """The referral of a form that is an emergency by one answer alone."""
    found = first(symptoms={"bladder_change": "new_or_worse", "onset": "sudden"})
    assert (found["queue"], found["priority"]) == ("urgent", "emergency")
    return found


def intakes(sessions):
    with sessions() as session:
        return session.scalars(select(Intake).order_by(Intake.id)).all()


def timeline(operator, referral):
    return [
        (each["type"], each["by"], each["data"]) for each in operator.get(referral["links"]["events"]).json["events"]
    ]


def again(operator, referral):
    return operator.get(referral["links"]["self"]).json


def test_an_answer_raises_the_case_at_once(first, answer, operator, act, sessions):
    calm = first()
    act(calm, "acknowledge", **DOCTOR)
    done = answer(calm, RED, note="Asked by telephone.")
    assert done.status_code == 200, done.text
    new = done.json
    assert new["id"] != calm["id"]
    assert (new["queue"], new["priority"], new["status"]) == ("urgent", "emergency", "queued")
    assert new["acknowledged"] is None, "the priority rose"
    assert new["links"]["supersedes"] == calm["links"]["self"]
    assert new["patient"] == calm["patient"]
    assert done.headers["ETag"] == '"1"'
    assert again(operator, new) == new
    old = again(operator, calm)
    assert (old["status"], old["links"]["superseded_by"]) == ("superseded", new["links"]["self"])
    queued, answered = timeline(operator, new)
    assert (queued[0], queued[2]["supersedes"]) == ("referral.queued", [calm["id"]])
    assert answered == ("referral.answered", BY["by"], {"fields": sorted(RED), "note": "Asked by telephone."})
    assert timeline(operator, calm)[-1] == ("referral.superseded", None, {"superseded_by": new["id"]})
    worked = operator.get("/v1/queues/urgent/referrals").json["referrals"]
    assert [each["id"] for each in worked] == [new["id"]]
    assert {each["name"]: each["open"] for each in operator.get("/v1/queues").json["queues"]}[calm["queue"]] == 0
    assert [each.status for each in intakes(sessions)] == ["triaged", "triaged"]


def test_it_is_decided_as_the_whole_form_would_be(first, answer, submitter):
    new = answer(first(), RED | {"encounter.completed_by": "patient"}).json
    body = born(case_for("clinical_review", "routine").body(bladder_change="new_or_worse", onset="sudden"))
    body["encounter"] = (body.get("encounter") or {}) | {"completed_by": "patient"}
    wanted = submitter.post("/v1/triage/preview", body).json["decision"]
    assert new["decision"] | {"decided_at": None} == wanted | {"decided_at": None}


def test_the_first_form_stays_and_the_rest_is_copied(app, first, answer, sessions):
    sent = {"completed_by": "patient", "free_text": "CANARY-TEXT since the fall", "callback_phone": "CANARY-4711"}
    calm = first(**sent)
    (before,) = intakes(sessions)
    answer(calm, {"symptoms.duration_days": 3, "symptoms.fever": None, "encounter.callback_phone": "CANARY-4712"})
    kept, new = intakes(sessions)
    for column in Intake.__table__.c:
        assert getattr(kept, column.name) == getattr(before, column.name), column.name
    answers = {**before.answers["answers"], "completed_by": "clinician", "duration_days": 3}
    answers.pop("fever", None)
    assert new.answers == before.answers | {"answers": answers}
    assert (new.amends, new.first_version, new.external_id, new.today) == (kept.id, kept.id, None, kept.today)
    hashes = [(each.mrn_hash, each.patient_hash, each.birth_date_hash) for each in (kept, new)]
    assert hashes[0] == hashes[1]
    cipher = app.extensions[EXTENSION].cipher
    old_identity, identity = (open_identity(cipher, each.identity, each.id) for each in (kept, new))
    assert old_identity["free_text"] == sent["free_text"]
    assert identity == old_identity | {"callback_phone": "CANARY-4712"}


def test_no_answer_in_an_identity_is_in_the_clear(first, answer, sessions, log_text):  # noqa: F811
    done = answer(first(), {"encounter.callback_phone": "CANARY-4712"}, note="CANARY")
    assert done.status_code == 200, done.text
    assert "CANARY-4712" not in done.text
    with sessions() as session:
        events = [event.data for event in session.scalars(select(Event))]
        answers = [each.answers for each in session.scalars(select(Intake))]
    assert "CANARY-4712" not in repr([events, answers])
    assert tells(log_text()) == []


def test_where_it_stays_as_urgent_the_person_and_the_clocks_stay(emergency, answer, act, operator):
    act(emergency, "acknowledge", **DOCTOR)
    held = again(operator, emergency)
    new = answer(emergency, {"symptoms.duration_days": 2}).json
    assert {name: new[name] for name in PLACE} == {name: held[name] for name in PLACE}
    assert new["acknowledged"]["by"] == DOCTOR["by"]
    assert not new["downgrade_proposed"]
    assert act(new, "complete", **DOCTOR, outcome="Seen.").status_code == 200


def test_a_contact_that_was_made_is_carried_over(first, answer, sessions):
    calm = first()
    made = datetime.fromisoformat(calm["created_at"])
    contact = {"contacted_by": "Nurse", "contacted_at": made, "contacted_outcome": "reached"}
    with sessions.begin() as session:
        session.execute(update(Referral).values(**contact))
    new = answer(calm, RED).json
    with sessions() as session:
        stored = session.scalars(select(Referral).where(Referral.id == new["id"])).one()
    assert {name: getattr(stored, name) for name in contact} == contact


def test_a_lower_place_is_only_proposed(emergency, answer, act, operator):
    act(emergency, "acknowledge", **DOCTOR)
    held = again(operator, emergency)
    new = answer(emergency, CALM).json
    assert new["downgrade_proposed"]
    assert {name: new[name] for name in PLACE} == {name: held[name] for name in PLACE}
    assert new["decision"]["priority"] != "emergency"


def test_a_confirmed_downgrade_puts_it_where_its_own_form_does(emergency, answer, act, operator):
    new = answer(emergency, CALM).json
    act(new, "acknowledge", **DOCTOR)
    done = act(new, "confirm-downgrade", **DOCTOR, reason="No danger is left.")
    assert done.status_code == 200, done.text
    after = done.json
    own = after["decision"]
    assert after["id"] == new["id"]
    assert (after["queue"], after["priority"], after["status"]) == (own["queue"], own["priority"], "queued")
    assert after["acknowledged"] is None
    assert not after["downgrade_proposed"]
    assert after["acknowledge_by"] > new["acknowledge_by"], "the one action that makes a clock longer"
    data = {"from": "urgent", "to": own["queue"], "priority": own["priority"], "reason": "No danger is left."}
    assert timeline(operator, after)[-1] == ("referral.downgrade_confirmed", DOCTOR["by"], data)
    once_more = act(new, "confirm-downgrade", **DOCTOR, reason="No danger is left.")
    assert (once_more.status_code, once_more.json["type"]) == (409, "urn:psoas:problem:nothing-proposed")
    assert again(operator, after) == after


def test_what_was_confirmed_holds_for_later_versions(emergency, answer, act, submitter, operator, triage_all):
    """The emergency of before has been overruled by a person: neither an answer nor a new form brings it back."""
    low = act(answer(emergency, CALM).json, "confirm-downgrade", **DOCTOR, reason="No danger is left.").json
    next_one = answer(low, {"symptoms.duration_days": 2}).json
    assert (next_one["queue"], next_one["priority"]) == (low["queue"], low["priority"])
    form = born(case_for("clinical_review", "routine").body()) | {"amends": next_one["intake_id"]}
    intake = submitter.post("/v1/intakes", form).json
    triage_all()
    newest = operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json
    assert newest["priority"] != "emergency"


def test_without_confirmation_a_later_form_keeps_the_place(emergency, answer, submitter, operator, triage_all):
    new = answer(emergency, CALM).json
    form = born(case_for("clinical_review", "routine").body()) | {"amends": new["intake_id"]}
    intake = submitter.post("/v1/intakes", form).json
    triage_all()
    newest = operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json
    assert (newest["queue"], newest["priority"], newest["downgrade_proposed"]) == ("urgent", "emergency", True)


@pytest.mark.parametrize(("priority", "action"), [("routine", "answers"), ("routine", "confirm-downgrade")])
def test_nothing_is_proposed_for_a_first_form(priority, action, first, act, operator):
    calm = first(priority=priority)
    done = act(calm, "confirm-downgrade", **DOCTOR, reason="x")
    assert (done.status_code, done.json["type"], action) == (409, "urn:psoas:problem:nothing-proposed", action)
    assert again(operator, calm) == calm


def test_no_answer_makes_a_clock_longer(first, answer, sessions):
    """Raised when the old time was nearly up: the new class would give more time than is left."""
    calm = first()
    with sessions.begin() as session:
        session.execute(update(Referral).values(acknowledge_by=func.now() + timedelta(minutes=2)))
        left = session.scalar(select(Referral.acknowledge_by))
    new = answer(calm, RED).json
    assert datetime.fromisoformat(new["acknowledge_by"]) == left


def test_an_answer_that_moves_nothing_leaves_it_where_a_person_put_it(first, answer, act):
    calm = first()
    moved = act(calm, "reroute", **DOCTOR, queue="orthopedics", reason="Hip.").json
    new = answer(moved, {"symptoms.duration_days": 400}).json
    assert new["decision"]["queue"] == calm["queue"]
    assert (new["queue"], new["downgrade_proposed"]) == ("orthopedics", False)


@pytest.mark.parametrize("status", ["completed", "returned", "superseded"])
def test_a_closed_one_takes_no_answer(status, first, answer, act, operator, sessions):
    calm = first()
    if status == "completed":
        act(calm, "acknowledge", **DOCTOR)
        act(calm, "complete", **DOCTOR, outcome="Seen.")
    elif status == "returned":
        act(calm, "return", **DOCTOR, reason="Examine first.")
    else:
        newer = answer(calm, {"symptoms.duration_days": 3}).json
    before, rows = again(operator, calm), len(intakes(sessions))
    for done in (
        answer(calm, RED),
        act(calm, "confirm-downgrade", **DOCTOR, reason="x"),
        act(calm, "release", **DOCTOR, reason="x"),
    ):
        assert (done.status_code, done.json["referral_status"]) == (409, status)
        assert done.json.get("superseded_by") == (newer["id"] if status == "superseded" else None)
    assert (again(operator, calm), len(intakes(sessions))) == (before, rows)


WRONG = [
    ({"symptoms.onset": "yesterday"}, "/answers/symptoms.onset"),
    ({"symptoms.duration_days": "3"}, "/answers/symptoms.duration_days"),
    ({"symptoms.duration_days": -1}, "/answers/symptoms.duration_days"),
    ({"symptoms.cannot_lift_leg_supine": None}, "/answers/symptoms.cannot_lift_leg_supine"),
    ({"symptoms.cannot_lift_leg_supine": "not_asked"}, "/answers/symptoms.cannot_lift_leg_supine"),
    ({"symptoms.no_such_question": "present"}, "/answers/symptoms.no_such_question"),
    ({"onset": "sudden"}, "/answers/onset"),
    ({"patient.age_years": 3}, "/answers/patient.age_years"),
    ({"patient.mrn": "MRN-2"}, "/answers/patient.mrn"),
    ({"patient.family_name": "Other"}, "/answers/patient.family_name"),
    ({"patient.given_name": "Other"}, "/answers/patient.given_name"),
    ({"patient.birth_date": "1990-01-01"}, "/answers/patient.birth_date"),
    ({"encounter.external_id": "E-1"}, "/answers/encounter.external_id"),
    ({"encounter.submitted_at": "2026-11-22T09:30:00Z"}, "/answers/encounter.submitted_at"),
    ({"encounter.free_text": "No."}, "/answers/encounter.free_text"),
    ({"a b/~ CANARY": 1}, "/answers"),
    ({}, "/answers"),
    ([], "/answers"),
    (None, "/answers"),
    ("sudden", "/answers"),
]


@pytest.mark.parametrize(("answers", "pointer"), WRONG, ids=range(len(WRONG)))
def test_what_the_form_would_refuse_is_refused_and_nothing_is_stored(
    answers, pointer, first, answer, operator, sessions
):
    calm = first()
    done = answer(calm, answers)
    assert done.status_code == 422, done.text
    assert [error["pointer"] for error in done.json["errors"]] == [pointer]
    assert "CANARY" not in done.text
    assert (again(operator, calm), len(intakes(sessions))) == (calm, 1)


@pytest.mark.parametrize(("body", "pointer"), [({"by": ""}, "/by"), ({"other": 1}, "/other"), ({"note": 7}, "/note")])
def test_so_is_what_else_is_wrong_in_the_body(body, pointer, first, answer, sessions):
    done = answer(first(), RED, **body)
    assert (done.status_code, [error["pointer"] for error in done.json["errors"]]) == (422, [pointer])
    assert len(intakes(sessions)) == 1


def test_an_old_answer_is_answered_with_its_sunset(first, answer):
    calm = first()
    old = answer(calm, {"symptoms.bilateral_sciatica": "absent"})
    assert (old.headers["Deprecation"], old.headers["Sunset"]) == ("@1795910400", "Fri, 31 Dec 2027 23:59:59 GMT")
    new = answer(old.json, {"symptoms.bilateral_sciatica": "none"})
    assert new.status_code == 200
    assert not {"Deprecation", "Sunset"} & set(new.headers.keys())


def test_a_stale_state_is_not_answered(first, answer, sessions):
    assert answer(first(), RED, headers={"If_Match": '"7"'}).status_code == 412
    assert len(intakes(sessions)) == 1


def test_who_does_not_see_it_does_not_answer_it(first, answer, caller, sessions):
    calm = first()
    for stranger in (
        caller("department", queues=["urgent"]),
        caller("department", facility="city", queues=[calm["queue"]]),
    ):
        assert answer(calm, RED, stranger).status_code == 404
    own = caller("department", queues=[calm["queue"]])
    assert answer(calm, RED, own).json["queue"] == "urgent", "it is shown also where it has left the caller's queues"
    assert len(intakes(sessions)) == 2


def test_an_identity_that_does_not_open_stops_no_answer(first, answer, sessions):
    calm = first()
    with sessions.begin() as session:
        session.execute(update(Intake).values(identity=b"damaged"))
    refused = answer(calm, {"encounter.callback_phone": "4712"})
    assert (refused.status_code, refused.json["type"]) == (409, "urn:psoas:problem:identity-unreadable")
    new = answer(calm, RED)
    assert (new.status_code, new.json["priority"], new.json["identity_unreadable"]) == (200, "emergency", True)
    assert len(intakes(sessions)) == 2


def test_a_form_of_the_release_before_is_answered(first, answer, sessions):
    """It says nothing of what is only mentioned, and has no hash of its birth date."""
    calm = first()
    with sessions.begin() as session:
        record = session.scalar(select(Intake.answers))
        record = {name: value for name, value in record.items() if name != "mentioned"}
        session.execute(
            update(Intake).values(answers=orjson.loads(orjson.dumps(record)), birth_date_hash=None, patient_hash=None)
        )
    assert answer(calm, RED).json["priority"] == "emergency"


def test_triage_that_fails_leaves_it_to_a_person(first, answer, sessions, monkeypatch):
    calm = first()

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("services.api.referrals.answering.new_version.triage", fail)
    new = answer(calm, RED).json
    assert (new["pattern"], new["decision"], new["status"]) == ("triage_failed", None, "queued")
    assert new["links"]["supersedes"] == calm["links"]["self"]
    assert len(intakes(sessions)) == 2


def test_everybody_concerned_hears_of_it(first, answer, act, sessions):
    calm = first()
    with sessions.begin() as session:
        for queue in (calm["queue"], "urgent"):
            row = {"id": uuid7(), "queue": queue, "url": f"https://{queue}.example", "secret": b"sealed"}
            session.execute(insert(Destination).values(**row))
    low = answer(answer(calm, RED).json, CALM | {"symptoms.onset": "gradual"}).json
    act(low, "confirm-downgrade", **DOCTOR, reason="No danger is left.")
    with sessions() as session:
        kinds = select(Delivery.queue, Delivery.payload["type"].astext)
        sent = {(queue, kind.removeprefix("referral.")) for queue, kind in session.execute(kinds)}
    assert sent >= {
        (calm["queue"], "superseded"),
        *(("urgent", kind) for kind in ("queued", "answered", "superseded", "downgrade_confirmed")),
    }
