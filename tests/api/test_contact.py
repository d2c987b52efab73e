"""The call to the patient: by when, who made it, what is read for it, and what a person's step does to the time."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, text, update
from uuid_utils.compat import uuid7

from services.worker.watchman.contacts import ContactWatch
from shared.clinical.referral.lifecycle import QUEUES
from shared.protocols import active
from shared.tables import Delivery, Destination, Event, Referral
from tests.cases import case_for

PHONE, REFERRER, WORDS = "+44 20 7946 0999", "Dr Test, 020 7946 0001", "He limps since Monday."
CALLED = {"by": "Nurse B. Lind", "outcome": "reached"}
LATE = "update referrals set contact_by = now() - interval '1 second'"
CLOCKS = ("acknowledge_by", "contact_by")


def moment(written):
    return datetime.fromisoformat(written)


@pytest.fixture
def late(sessions):
    """Return a function after which every contact is overdue."""

    def pass_():
        with sessions.begin() as session:
            session.execute(text(LATE))

    return pass_


@pytest.fixture
def read(operator):
    """Return a function that reads a referral again."""
    return lambda referral: operator.get(referral["links"]["self"]).json


@pytest.fixture
def contacted(operator):
    """Return a function that says how a call ended."""

    def do(referral, **changed):
        body = {key: word for key, word in (CALLED | changed).items() if word is not None}
        return operator.post(f"{referral['links']['self']}/contacted", body)

    return do


def events(operator, referral, kind):
    happened = operator.get(referral["links"]["events"]).json["events"]
    return [(event["by"], event["data"]) for event in happened if event["type"] == f"referral.{kind}"]


def test_a_referral_says_by_when_the_patient_is_contacted_and_each_study_is_due(referral, operator, submitter):
    first = referral("urgent")
    received_at = moment(operator.get(first["links"]["intake"]).json["received_at"])
    assert moment(first["contact_by"]) == received_at + timedelta(minutes=first["decision"]["contact_minutes"])
    assert first["ambulance"] is first["decision"]["ambulance"] is False
    minutes = {"immediate": 60, "4h": 240, "24h": 1440, "72h": 4320, "2w": 20160}
    due = {each["study"]: received_at + timedelta(minutes=minutes[each["within"]]) for each in first["imaging"]}
    assert due
    assert {each["study"]: moment(each["due_by"]) for each in first["imaging"]} == due
    seen = submitter.get(first["links"]["self"]).json
    for member in ("contact_by", "ambulance", "imaging", "contacted", "contact_overdue"):
        assert seen[member] == first[member], member
    (listed,) = operator.get("/v1/queues/urgent/referrals").json["referrals"]
    assert listed == first
    ((_, queued),) = events(operator, first, "queued")
    assert moment(queued["contact_by"]) == moment(first["contact_by"])
    assert queued["ambulance"] is False


def test_routine_has_no_time_for_the_contact(submitter, operator, triage_all):
    posted = submitter.post("/v1/intakes", case_for("clinical_review", "routine").body())
    triage_all()
    path = submitter.get(posted.headers["Location"]).json["referral"]["links"]["self"]
    routine = operator.get(path).json
    assert (routine["contact_by"], routine["contact_overdue"], routine["ambulance"]) == (None, False, False)


def test_a_referral_of_release_0_1_0_lacks_what_it_did_not_know(referral, sessions, read):
    first = referral("neurology")
    with sessions.begin() as session:
        session.execute(update(Referral).values(contact_by=None, ambulance=None, imaging_due=None))
    old = read(first)
    assert (old["contact_by"], old["contacted"], old["contact_overdue"]) == (None, None, False)
    assert "ambulance" not in old
    assert old["imaging"] == old["decision"]["imaging"]


@pytest.mark.parametrize("outcome", ["reached", "not_needed"])
def test_a_call_that_ends_the_clock(outcome, referral, contacted, late, read, operator):
    first = referral("urgent")
    late()
    assert read(first)["contact_overdue"] is True
    answer = contacted(first, outcome=outcome, note="Spoke to the daughter.")
    assert answer.status_code == 200
    ended = answer.json["contacted"]
    assert (ended["by"], ended["outcome"], ended["at"] > first["created_at"]) == ("Nurse B. Lind", outcome, True)
    assert answer.json["contact_overdue"] is False
    assert answer.json["status"] == "queued"
    assert answer.json == read(first)
    said = {"outcome": outcome, "note": "Spoke to the daughter."}
    assert events(operator, first, "contacted") == [("Nurse B. Lind", said)]
    again = contacted(first, outcome="reached")
    assert (again.status_code, again.json["type"]) == (409, "urn:psoas:problem:already-contacted")
    assert read(first) == answer.json


@pytest.mark.parametrize("outcome", ["no_answer", "left_message"])
def test_an_attempt_lets_the_clock_run_on(outcome, referral, contacted, late, operator):
    first = referral("urgent")
    late()
    answer = contacted(first, outcome=outcome)
    assert (answer.status_code, answer.json["contacted"], answer.json["contact_overdue"]) == (200, None, True)
    assert events(operator, first, "contacted") == [("Nurse B. Lind", {"outcome": outcome})]
    assert contacted(first).json["contacted"]["outcome"] == "reached"


def test_it_is_possible_while_it_is_acknowledged_and_ends_nothing_else(referral, contacted, operator):
    first = referral("neurology")
    held = operator.post(f"{first['links']['self']}/acknowledge", {"by": "Dr A. Okafor"}).json
    answer = contacted(first)
    assert (answer.json["status"], answer.json["acknowledged"]) == ("acknowledged", held["acknowledged"])


@pytest.mark.parametrize("status", ["completed", "returned", "superseded"])
def test_it_is_409_in_an_end_state(status, referral, contacted, sessions, read):
    first = referral("neurology")
    with sessions.begin() as session:
        ended = {"status": status, "superseded_by": Referral.id if status == "superseded" else None}
        session.execute(update(Referral).values(contact_by=func.now() - timedelta(days=1), **ended))
    answer = contacted(first)
    assert (answer.status_code, answer.json["referral_status"]) == (409, status)
    assert (read(first)["contacted"], read(first)["contact_overdue"]) == (None, False)


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"by": None}, "/by"),
        ({"outcome": None}, "/outcome"),
        ({"outcome": "voicemail"}, "/outcome"),
        ({"outcome": ["reached"]}, "/outcome"),
        ({"note": "x" * 4001}, "/note"),
        ({"reason": "x"}, "/reason"),
    ],
)
def test_a_body_that_is_refused(changed, pointer, referral, contacted, read):
    first = referral("neurology")
    answer = contacted(first, **changed)
    assert (answer.status_code, [error["pointer"] for error in answer.json["errors"]]) == (422, [pointer])
    assert read(first) == first


def test_an_auditor_reads_how_a_call_ended_and_not_what_was_noted(referral, contacted, caller):
    first = referral("neurology")
    contacted(first, note="CANARY")
    assert events(caller("auditor"), first, "contacted") == [("Nurse B. Lind", {"outcome": "reached"})]


def test_destinations_hear_of_the_contact_and_of_its_time(referral, contacted, sessions):
    with sessions.begin() as session:
        session.execute(insert(Destination).values(id=uuid7(), queue="urgent", url="https://a.example", secret=b""))
    first = referral("urgent")
    contacted(first)
    with sessions() as session:
        delivered = {each.payload["type"]: each.payload["data"] for each in session.scalars(select(Delivery))}
    assert delivered.keys() == {"referral.queued", "referral.contacted"}
    for data in delivered.values():
        assert moment(data["contact_by"]) == moment(first["contact_by"])
        assert data["ambulance"] is False


def times(sessions):
    with sessions() as session:
        row = session.scalars(select(Referral)).one()
        moved = session.scalars(select(Event.at).where(Event.type == "referral.rerouted")).all()
    return {name: getattr(row, name) for name in CLOCKS}, moved, row


def test_into_urgent_both_times_come_forward(referral, operator, sessions):
    first = referral("neurology")
    with sessions.begin() as session:
        session.execute(update(Referral).values(contact_by=None, escalation_level=2))
    answer = operator.post(f"{first['links']['self']}/reroute", {"by": "Dr A", "queue": "urgent"})
    clocks, (moved,), row = times(sessions)
    assert clocks == {"acknowledge_by": moved + timedelta(minutes=60), "contact_by": moved + timedelta(minutes=240)}
    assert row.escalation_level == 0
    assert (answer.json["overdue"], answer.json["priority"]) == (False, "urgent")
    assert {name: moment(answer.json[name]) for name in CLOCKS} == clocks


@pytest.mark.parametrize("queue", ["urgent", "orthopedics"])
def test_no_step_of_a_person_makes_a_clock_longer(queue, referral, operator, sessions, read):
    first = referral("neurology")
    with sessions.begin() as session:
        passed = func.now() - timedelta(hours=1)
        session.execute(update(Referral).values(acknowledge_by=passed, contact_by=passed))
    before = read(first)
    body = {"by": "Dr A", "queue": queue, "reason": "x"}
    moved = operator.post(f"{first['links']['self']}/reroute", body).json
    assert {name: moved[name] for name in CLOCKS} == {name: before[name] for name in CLOCKS}
    assert (moved["overdue"], moved["contact_overdue"]) == (True, True)
    for action, body in (("acknowledge", {}), ("release", {"reason": "x"})):
        after = operator.post(f"{first['links']['self']}/{action}", {"by": "Dr A"} | body).json
        assert {name: after[name] for name in CLOCKS} == {name: before[name] for name in CLOCKS}


@pytest.fixture
def sent(submitter, triage_all, operator):
    """A referral whose form has telephone numbers, free text, and an answer of an earlier version."""
    case = case_for("neurology")
    encounter = {
        **case.form.get("encounter", {}),
        "callback_phone": PHONE,
        "referrer_contact": REFERRER,
        "free_text": WORDS,
        "interpreter_language": "pl",
        "source": "gp",
        "completed_by": "proxy",
    }
    body = case.body(side="left", duration_days=3) | {"encounter": encounter}
    path = submitter.post("/v1/intakes", body).headers["Location"]
    triage_all()
    return operator.get(submitter.get(path).json["referral"]["links"]["self"]).json


def test_the_form_is_read_in_its_own_words(sent, operator):
    form = operator.get(f"{sent['links']['self']}/form").json
    assert form["contact"] == {
        "callback_phone": PHONE,
        "referrer_contact": REFERRER,
        "interpreter_language": "pl",
        "source": "gp",
        "completed_by": "proxy",
    }
    assert (form["free_text"], form["identity_unreadable"]) == (WORDS, False)
    answers = {each["field"]: each for each in form["answers"]}
    assert answers["symptoms.side"]["answer"] == "left"
    assert answers["symptoms.side"]["text"] == "Left"
    assert answers["symptoms.side"]["label"]
    assert answers["symptoms.duration_days"]["answer"] == 3
    assert answers["encounter.source"]["answer"] == "gp"
    assert not answers.keys() & {"encounter.callback_phone", "encounter.free_text", "patient.mrn"}


def test_each_reading_is_recorded_without_content_webhook_or_new_etag(sent, operator, sessions):
    with sessions.begin() as session:
        session.execute(
            insert(Destination).values(id=uuid7(), queue=sent["queue"], url="https://a.example", secret=b"")
        )
    etag = operator.get(sent["links"]["self"]).headers["ETag"]
    for _ in range(2):
        assert operator.get(f"{sent['links']['self']}/form").status_code == 200
    key_id = operator.key.split("_")[1]
    assert events(operator, sent, "form_read") == [(None, {"key_id": key_id})] * 2
    assert operator.get(sent["links"]["self"]).headers["ETag"] == etag
    with sessions() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_the_form_is_for_its_own_department_operators_and_admins(sent, caller):
    path = f"{sent['links']['self']}/form"
    may = {
        200: [
            caller("admin"),
            caller("operator"),
            caller("department", facility="st-marys", queues=[sent["queue"]]),
        ],
        403: [
            caller("auditor"),
            caller("submitter", facility="st-marys"),
            caller("department", facility="st-marys", queues=[queue for queue in QUEUES if queue != sent["queue"]]),
        ],
        404: [caller("department", facility="elsewhere", queues=[sent["queue"]])],
    }
    for status, callers in may.items():
        for each in callers:
            answer = each.get(path)
            assert answer.status_code == status
            assert (PHONE in answer.text) is (status == 200)
    assert len(events(caller("operator"), sent, "form_read")) == 3


def test_a_form_whose_identity_does_not_open_shows_its_answers(sent, operator, sessions):
    with sessions.begin() as session:
        session.execute(text("update intakes set identity = 'damaged'"))
    form = operator.get(f"{sent['links']['self']}/form").json
    assert form["identity_unreadable"] is True
    assert (form["contact"]["callback_phone"], form["free_text"], form["contact"]["source"]) == (None, None, "gp")
    assert form["answers"]


def test_a_form_that_does_not_exist(operator):
    assert operator.get("/v1/referrals/0197c9a0-0000-7000-8000-000000000000/form").status_code == 404


OLD = {"bilateral_sciatica": "absent"}


def test_an_old_answer_is_answered_with_its_sunset_and_is_read_in_words(submitter, operator, triage_all):
    old, new = case_for("neurology").body("MRN-1", **OLD), case_for("neurology").body("MRN-2")
    posts = {
        "/v1/intakes": lambda body: submitter.post("/v1/intakes", body),
        "preview": lambda body: submitter.post("/v1/triage/preview", body),
    }
    path = posts["/v1/intakes"](old).headers["Location"]
    for post in posts.values():
        answer = post(old)
        assert answer.headers["Deprecation"] == "@1795910400"
        assert answer.headers["Sunset"] == "Fri, 31 Dec 2027 23:59:59 GMT"
        assert not {"Deprecation", "Sunset"} & set(post(new).headers.keys())
    lines = b"".join(
        json.dumps({"idempotency_key": key, "form": form}).encode() + b"\n" for key, form in (("a", new), ("b", old))
    )
    for content, has in ((lines, True), (lines.splitlines()[0] + b"\n", False)):
        answer = submitter.send("/v1/intakes/batch", content, Content_Type="application/x-ndjson")
        assert ("Sunset" in answer.headers, answer.status_code) == (has, 200)
    triage_all()
    first = operator.get(submitter.get(path).json["referral"]["links"]["self"]).json
    answers = {each["field"]: each for each in operator.get(f"{first['links']['self']}/form").json["answers"]}
    sciatica, words = answers["symptoms.bilateral_sciatica"], active().form.fields["bilateral_sciatica"].values
    assert (sciatica["answer"], sciatica["text"]) == ("absent", words["none"])


def test_a_new_version_that_ranks_lower_keeps_the_earlier_times(submitter, operator, triage_all, contacted):
    def send(queue, amends=None):
        body = case_for(queue).body() | {"patient": {"mrn": "MRN-1", "birth_date": "1980-05-17"}}
        posted = submitter.post("/v1/intakes", body | ({"amends": amends} if amends else {}))
        triage_all()
        return submitter.get(posted.headers["Location"]).json

    first = send("urgent")
    before = operator.get(first["referral"]["links"]["self"]).json
    called = contacted(before).json["contacted"]
    second = send("orthopedics", first["id"])
    kept = operator.get(second["referral"]["links"]["self"]).json
    assert kept["downgrade_proposed"] is True
    assert {name: kept[name] for name in CLOCKS} == {name: before[name] for name in CLOCKS}
    assert kept["contacted"] == called
    own = {each["study"]: each["due_by"] for each in kept["imaging"]}
    earlier = {each["study"]: each["due_by"] for each in before["imaging"]}
    assert own.keys() == {each["study"] for each in second["decision"]["imaging"]}
    for study in own.keys() & earlier.keys():
        assert own[study] == earlier[study]


def test_a_contact_that_is_overdue_is_said_once_and_told(referral, operator, sessions, late, read):
    with sessions.begin() as session:
        session.execute(insert(Destination).values(id=uuid7(), queue="urgent", url="https://a.example", secret=b""))
    first = referral("urgent")
    announced = []
    watch = ContactWatch(sessions, announced.append)
    watch.look()
    assert events(operator, first, "contact_overdue") == []
    late()
    for _ in range(2):
        watch.look()
    assert len(announced) == 1
    due = read(first)
    ((by, data),) = events(operator, first, "contact_overdue")
    assert (by, data["queue"], data["priority"]) == (None, "urgent", "emergency")
    assert moment(data["contact_by"]) == moment(due["contact_by"])
    with sessions() as session:
        delivered = [each.payload["type"] for each in session.scalars(select(Delivery))]
    assert sorted(delivered) == ["referral.contact_overdue", "referral.queued"]
