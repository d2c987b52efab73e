"""Working a referral: acknowledge, complete, reroute, return and release, and what each leaves behind."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shared.clinical.referral.lifecycle import TRANSITIONS
from shared.tables import Event, Referral

ACTIONS = {
    "acknowledge": {"by": "Dr A. Okafor"},
    "complete": {"by": "Dr A. Okafor", "outcome": "Seen in clinic."},
    "reroute": {"by": "Dr A. Okafor", "queue": "orthopedics", "reason": "Hip joint."},
    "return": {"by": "Dr A. Okafor", "reason": "Please examine first."},
    "release": {"by": "Dr A. Okafor", "reason": "Going off duty."},
    "take-over": {"by": "Dr B. Lind", "reason": "Called to theatre."},
    "contacted": {"by": "Dr A. Okafor", "outcome": "reached"},
}
CONFIRMED = {"confirm": True}
MEMBERS = [
    *("id", "reference", "intake_id", "facility", "queue", "priority", "status", "pattern", "headline", "red_flags"),
    *("imaging", "patient", "identity_unreadable", "created_at", "acknowledge_by", "overdue", "contact_by"),
    *("ambulance", "contacted", "contact_overdue", "escalation_level", "downgrade_proposed", "acknowledged"),
    *("returned", "completed", "decision", "duplicates", "links"),
]


@pytest.fixture
def act(operator):
    """Return a function that does one of the actions on a referral, with another body where given."""

    def do(referral, action, headers=None, **changed):
        body = {key: word for key, word in (ACTIONS[action] | changed).items() if word is not None}
        return operator.post(f"{referral['links']['self']}/{action}", body, **(headers or {}))

    return do


def happened(operator, referral):
    events = operator.get(referral["links"]["events"]).json["events"]
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert {event["referral_id"] for event in events} == {referral["id"]}
    assert {event["intake_id"] for event in events} == {referral["intake_id"]}
    return [(event["type"], event["by"], event["data"]) for event in events[1:]]


def test_a_referral_as_it_begins(referral, operator):
    first = referral("urgent", mrn="MRN-7")
    assert list(first) == MEMBERS
    assert (first["facility"], first["queue"], first["priority"]) == ("st-marys", "urgent", "emergency")
    assert (first["status"], first["acknowledged"], first["overdue"]) == ("queued", None, False)
    assert (first["escalation_level"], first["downgrade_proposed"]) == (0, False)
    assert first["patient"]["mrn"] == "MRN-7"
    assert [{**each, "due_by": None} for each in first["decision"]["imaging"]] == [
        {**each, "due_by": None} for each in first["imaging"]
    ]
    assert first["headline"] == first["decision"]["headline"]
    events = operator.get(first["links"]["events"]).json["events"]
    assert [(event["type"], event["by"]) for event in events] == [("referral.queued", None)]
    assert list(events[0]) == ["id", "type", "at", "referral_id", "reference", "intake_id", "by", "data"]


def test_the_patient_is_named_as_the_sender_named_them(submitter, operator, triage_all):
    body = {
        "patient": {
            "mrn": "MRN-8",
            "birth_date": "1980-05-17",
            "given_name": "Ana",
            "family_name": "Núñez",
            "sex_at_birth": "female",
        },
        "symptoms": {"cannot_lift_leg_supine": "present"},
    }
    path = submitter.post("/v1/intakes", body).headers["Location"]
    triage_all()
    referral = operator.get(submitter.get(path).json["referral"]["links"]["self"]).json
    assert referral["patient"] == {
        "mrn": "MRN-8",
        "name": "Ana Núñez",
        "birth_date": "1980-05-17",
        "sex_at_birth": "female",
    }


def test_acknowledging(referral, act, operator):
    first = referral("neurology")
    answer = act(first, "acknowledge", note="On my list.")
    assert answer.status_code == 200
    assert answer.json["status"] == "acknowledged"
    assert answer.json["acknowledged"]["by"] == "Dr A. Okafor"
    assert answer.json["acknowledged"]["at"] > first["created_at"]
    assert answer.json == operator.get(first["links"]["self"]).json
    assert happened(operator, first) == [("referral.acknowledged", "Dr A. Okafor", {"note": "On my list."})]


def test_acknowledging_again_changes_nothing(referral, act, operator):
    first = referral("neurology")
    once, twice = act(first, "acknowledge"), act(first, "acknowledge")
    assert twice.status_code == 200
    assert twice.json == once.json
    assert twice.headers["ETag"] == once.headers["ETag"]
    assert len(happened(operator, first)) == 1


def test_acknowledging_what_another_holds_is_409_and_names_the_holder(referral, act, operator):
    first = referral("neurology")
    act(first, "acknowledge")
    answer = act(first, "acknowledge", by="Dr B. Lind")
    assert answer.status_code == 409
    assert answer.json["held_by"] == "Dr A. Okafor"
    assert "Dr A. Okafor" in answer.json["detail"]
    assert len(happened(operator, first)) == 1


def test_completing(referral, act, operator):
    first = referral("neurology")
    act(first, "acknowledge")
    answer = act(first, "complete")
    assert (answer.status_code, answer.json["status"]) == (200, "completed")
    assert answer.json["acknowledged"]["by"] == "Dr A. Okafor"
    assert happened(operator, first)[1] == ("referral.completed", "Dr A. Okafor", {"outcome": "Seen in clinic."})


def test_rerouting_keeps_the_referral_its_priority_and_its_clock(referral, act, operator):
    first = referral("neurology")
    act(first, "acknowledge")
    answer = act(first, "reroute")
    assert answer.status_code == 200
    kept = ("id", "priority", "acknowledge_by", "escalation_level", "created_at")
    assert {name: answer.json[name] for name in kept} == {name: first[name] for name in kept}
    assert (answer.json["queue"], answer.json["status"], answer.json["acknowledged"]) == ("orthopedics", "queued", None)
    data = {"from": "neurology", "to": "orthopedics", "priority": first["priority"], "reason": "Hip joint."}
    assert happened(operator, first)[1] == ("referral.rerouted", "Dr A. Okafor", data)


def test_rerouting_between_other_queues_needs_no_reason(referral, act):
    assert act(referral("neurology"), "reroute", reason=None).status_code == 200


def test_into_urgent_the_priority_rises_to_urgent_at_least(referral, act):
    first = referral("neurology")
    assert first["priority"] in ("routine", "prompt")
    answer = act(first, "reroute", queue="urgent")
    assert (answer.json["queue"], answer.json["priority"]) == ("urgent", "urgent")
    assert answer.json["acknowledge_by"] < first["acknowledge_by"]


def test_into_urgent_the_ladder_begins_at_that_moment(referral, act, sessions):
    """Counted from receipt, all rungs of a form of last week would be due at once."""
    first = referral("neurology")
    with sessions.begin() as session:
        session.execute(update(Referral).values(clock_started_at=Referral.clock_started_at - timedelta(days=7)))
    act(first, "reroute", queue="urgent")
    with sessions() as session:
        raised, event = (
            session.scalars(select(Referral)).one(),
            session.scalars(select(Event).order_by(Event.id)).all()[-1],
        )
    assert (raised.clock_started_at, raised.escalate_at) == (event.at, event.at + timedelta(hours=1))
    assert raised.escalation_level == 0


def test_rerouting_an_emergency_keeps_its_ladder(referral, act, sessions):
    first = referral("urgent")
    clock = select(Referral.clock_started_at, Referral.escalate_at, Referral.escalation_level)
    with sessions.begin() as session:
        session.execute(update(Referral).values(escalation_level=2))
        before = session.execute(clock).one()
    act(first, "reroute", **CONFIRMED)
    act(first, "reroute", queue="urgent")
    with sessions() as session:
        assert session.execute(clock).one() == before


def test_an_emergency_stays_one_wherever_it_goes(referral, act):
    first = referral("urgent")
    away = act(first, "reroute", **CONFIRMED)
    assert (away.json["queue"], away.json["priority"]) == ("orthopedics", "emergency")
    back = act(first, "reroute", queue="urgent")
    assert (back.json["queue"], back.json["priority"]) == ("urgent", "emergency")


def test_rerouting_to_the_same_queue_is_409(referral, act):
    answer = act(referral("orthopedics"), "reroute")
    assert (answer.status_code, answer.json["type"]) == (409, "urn:psoas:problem:same-queue")
    assert act(referral("urgent"), "reroute", queue="urgent").status_code == 409


@pytest.mark.parametrize("action", ["reroute", "return"])
@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({}, ["/confirm"]),
        ({"confirm": False}, ["/confirm"]),
        ({"confirm": "true"}, ["/confirm"]),
        ({"confirm": 1}, ["/confirm"]),
        ({"reason": None, "confirm": True}, ["/reason"]),
        ({"reason": " ", "confirm": True}, ["/reason"]),
    ],
    ids=repr,
)
def test_leaving_urgent_needs_a_reason_and_a_yes(action, changed, pointers, referral, act, operator):
    first = referral("urgent")
    answer = act(first, action, **changed)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == pointers
    assert operator.get(first["links"]["self"]).json == first
    assert act(first, action, **CONFIRMED).status_code == 200


def test_returning(referral, act, operator):
    first = referral("neurology")
    answer = act(first, "return")
    assert (answer.status_code, answer.json["status"]) == (200, "returned")
    assert happened(operator, first) == [("referral.returned", "Dr A. Okafor", {"reason": "Please examine first."})]


def test_releasing_lets_the_clock_run_on(referral, act, operator):
    first = referral("urgent")
    act(first, "acknowledge")
    answer = act(first, "release")
    assert answer.status_code == 200
    assert answer.json == first
    assert happened(operator, first)[1] == ("referral.released", "Dr A. Okafor", {"reason": "Going off duty."})
    assert act(first, "acknowledge", by="Dr B. Lind").status_code == 200


STATUSES = ["queued", "acknowledged", "completed", "returned", "superseded"]
FORBIDDEN = [
    (action, status)
    for action in ACTIONS
    for status in STATUSES
    if status not in TRANSITIONS[action] and (action, status) != ("acknowledge", "acknowledged")
]


@pytest.mark.parametrize(("action", "status"), FORBIDDEN)
def test_what_the_table_forbids_is_409_with_the_present_status(action, status, referral, act, operator, sessions):
    first = referral("neurology")
    if status == "acknowledged":
        act(first, "acknowledge")
    else:
        with sessions.begin() as session:
            superseded_by = Referral.id if status == "superseded" else None
            session.execute(update(Referral).values(status=status, superseded_by=superseded_by))
    before = operator.get(first["links"]["self"]).json
    answer = act(first, action)
    assert answer.status_code == 409
    assert answer.json["referral_status"] == status
    assert status in answer.json["detail"]
    assert operator.get(first["links"]["self"]).json == before


def test_the_forbidden_are_many():
    assert len(FORBIDDEN) == 24


@pytest.mark.parametrize(
    ("action", "changed", "pointers"),
    [
        ("acknowledge", {"by": None}, ["/by"]),
        ("acknowledge", {"by": ""}, ["/by"]),
        ("acknowledge", {"by": "  "}, ["/by"]),
        ("acknowledge", {"by": 7}, ["/by"]),
        ("acknowledge", {"by": "x" * 201}, ["/by"]),
        ("acknowledge", {"by": "Dr\nA"}, ["/by"]),
        ("acknowledge", {"note": "a\tb"}, ["/note"]),
        ("acknowledge", {"note": "x" * 4001}, ["/note"]),
        ("acknowledge", {"who": "me"}, ["/who"]),
        ("complete", {"outcome": None}, ["/outcome"]),
        ("reroute", {"queue": None}, ["/queue"]),
        ("reroute", {"queue": "surgery"}, ["/queue"]),
        ("return", {"reason": None}, ["/reason"]),
        ("release", {"reason": None, "by": None}, ["/by", "/reason"]),
    ],
)
def test_a_body_that_is_refused(action, changed, pointers, referral, act, operator):
    first = referral("neurology")
    answer = act(first, action, **changed)
    assert answer.status_code == 422
    assert sorted(error["pointer"] for error in answer.json["errors"]) == pointers
    assert operator.get(first["links"]["self"]).json == first


def test_a_body_that_is_no_object(referral, operator):
    answer = operator.post(f"{referral('neurology')['links']['self']}/acknowledge", [])
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "")


def test_a_stale_reading_is_412(referral, act, operator):
    first = referral("neurology")
    read = operator.get(first["links"]["self"]).headers["ETag"]
    assert read.startswith('"')
    acknowledged = act(first, "acknowledge", {"If_Match": read})
    assert acknowledged.status_code == 200
    assert acknowledged.headers["ETag"] != read
    for stale in (read, f"W/{acknowledged.headers['ETag']}", '"other", "another"'):
        answer = act(first, "complete", {"If_Match": stale})
        assert (answer.status_code, answer.content_type) == (412, "application/problem+json")
    assert act(first, "release", {"If_Match": f'"other", {acknowledged.headers["ETag"]}'}).status_code == 200
    assert act(first, "acknowledge", {"If_Match": "*"}).status_code == 200


def test_overdue_is_what_nobody_acknowledged_in_time(referral, act, operator, sessions):
    first = referral("urgent")
    with sessions.begin() as session:
        due = session.scalar(select(Referral.acknowledge_by))
        session.execute(update(Referral).values(acknowledge_by=due.replace(year=due.year - 1)))
    assert operator.get(first["links"]["self"]).json["overdue"] is True
    assert act(first, "acknowledge").json["overdue"] is False


def test_a_referral_that_does_not_exist(operator, act):
    nobody = {"links": {"self": "/v1/referrals/0197c9a0-0000-7000-8000-000000000000"}}
    assert {act(nobody, action).status_code for action in ACTIONS} == {404}
    assert operator.get(nobody["links"]["self"] + "/events").status_code == 404


def follow(reader, path, limit):
    """Return the ids of the events of each page, by following `next` until it is null."""
    pages, after = [], 0
    while after is not None:
        page = reader.get(f"{path}?limit={limit}&after={after}").json
        pages.append([event["id"] for event in page["events"]])
        after = page["next"]
    return pages


def test_a_timeline_is_read_in_pages(referral, operator):
    path = referral("neurology")["links"]["self"]
    for action in ("acknowledge", "release") * 26:
        assert operator.post(f"{path}/{action}", ACTIONS[action]).status_code == 200
    first = operator.get(f"{path}/events").json
    assert (len(first["events"]), first["next"]) == (50, 50)
    assert follow(operator, f"{path}/events", 20) == [[*range(1, 21)], [*range(21, 41)], [*range(41, 54)]]
    assert follow(operator, f"{path}/events", 53) == [[*range(1, 54)]]
    assert operator.get(f"{path}/events?after=53").json == {"events": [], "next": None}
    for query in ("limit=0", "limit=201", "limit=x", "after=x", "after=-1", "cursor=1", "after=1&after=2"):
        assert operator.get(f"{path}/events?{query}").status_code == 422


def test_what_has_no_number_yet_is_on_the_last_page(referral, operator, monkeypatch):
    path = referral("neurology")["links"]["self"]
    assert operator.get(f"{path}/events").json["events"][0]["id"] == 1
    monkeypatch.setattr("services.api.referrals.routes.catch_up", lambda _: None)  # a frozen process holds the lock
    for action in ("acknowledge", "release"):
        assert operator.post(f"{path}/{action}", ACTIONS[action]).status_code == 200
    assert follow(operator, f"{path}/events", 3) == [[1, None, None]]
    page = operator.get(f"{path}/events?limit=2").json
    assert ([event["id"] for event in page["events"]], page["next"]) == ([1, None], 1)
