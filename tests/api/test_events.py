"""The feed of all events, a page at a time: every one once, in one order, for those who may see it."""

import pytest
from sqlalchemy import select, text

from shared.store.event_log.chain import check
from shared.store.event_log.feed import NUMBERING
from shared.store.operations.audit import findings
from shared.tables import Event
from tests.api.test_referrals import ACTIONS, CONFIRMED
from tests.cases import born, case_for


def read_all(reader, limit):
    """Follow `next` until a page is shorter than it could be; return the events."""
    events, after = [], 0
    while True:
        page = reader.get(f"/v1/events?after={after}&limit={limit}").json
        events += page["events"]
        assert page["next"] == (page["events"][-1]["id"] if page["events"] else after)
        after = page["next"]
        if len(page["events"]) < limit:
            return events


@pytest.fixture
def worked(referral, operator):
    """Three referrals, two of which somebody has worked on."""
    three = [referral("neurology", mrn=f"MRN-{number}") for number in range(3)]
    for each in three[:2]:
        assert operator.post(f"{each['links']['self']}/acknowledge", ACTIONS["acknowledge"]).status_code == 200
    assert operator.post(f"{three[0]['links']['self']}/complete", ACTIONS["complete"]).status_code == 200
    return three


@pytest.mark.parametrize("limit", [1, 2, 6, 200])
def test_a_reader_who_follows_next_reads_everything_once(worked, operator, sessions, limit):
    events = read_all(operator, limit)
    assert [event["id"] for event in events] == [1, 2, 3, 4, 5, 6]
    with sessions() as session:
        stored = session.scalars(select(Event).order_by(Event.id)).all()
    assert [(event["type"], event["referral_id"]) for event in events] == [(e.type, str(e.referral_id)) for e in stored]
    assert {event["referral_id"] for event in events} == {each["id"] for each in worked}
    assert list(events[0]) == ["id", "type", "at", "referral_id", "reference", "intake_id", "by", "data"]


def test_without_a_cursor_it_begins_with_the_first(worked, operator):
    assert worked
    assert operator.get("/v1/events").json["next"] == 6


def test_an_empty_page_gives_the_cursor_back(operator):
    assert operator.get("/v1/events").json == {"events": [], "next": 0}
    assert operator.get("/v1/events?after=7").json == {"events": [], "next": 7}


def test_a_timeline_has_the_ids_of_the_feed(worked, operator):
    events = read_all(operator, 50)
    for each in worked:
        timeline = operator.get(each["links"]["events"]).json["events"]
        assert timeline == [event for event in events if event["referral_id"] == each["id"]]


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=", "after=1.5", "after=%2B1", "after=1&after=2"])
def test_a_cursor_that_is_none_is_refused(operator, query):
    answer = operator.get(f"/v1/events?{query}")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/after")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=", "limit=-1", "cursor=1"])
def test_a_limit_out_of_range_and_an_unknown_parameter_are_refused(operator, query):
    answer = operator.get(f"/v1/events?{query}")
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_the_biggest_cursor_is_taken(operator):
    assert operator.get(f"/v1/events?after={10**18 - 1}").status_code == 200
    assert operator.get(f"/v1/events?after={10**18}").status_code == 422


def test_an_auditor_reads_it_without_what_people_wrote(referral, operator, caller):
    path = referral("neurology")["links"]["self"]
    operator.post(f"{path}/acknowledge", {"by": "Dr A. Okafor", "note": "Mrs CANARY rang."})
    answer = caller("auditor").get("/v1/events")
    assert [event["type"] for event in answer.json["events"]] == ["referral.queued", "referral.acknowledged"]
    assert "CANARY" not in answer.text
    assert "CANARY" in operator.get("/v1/events").text


def test_what_cannot_be_numbered_now_is_still_in_the_timeline(referral, operator, sessions):
    """A process that is frozen while it gives numbers delays the feed, and hides nothing from a clinician."""
    ours = referral("neurology")
    assert len(read_all(operator, 50)) == 1
    with sessions.begin() as frozen:
        frozen.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING})
        operator.post(f"{ours['links']['self']}/acknowledge", ACTIONS["acknowledge"])
        timeline = operator.get(ours["links"]["events"]).json["events"]
        assert [(event["id"], event["type"]) for event in timeline] == [
            (1, "referral.queued"),
            (None, "referral.acknowledged"),
        ]
        assert operator.get("/v1/events?after=1").json == {"events": [], "next": 1}
    assert [event["id"] for event in operator.get(ours["links"]["events"]).json["events"]] == [1, 2]


def test_after_all_that_people_do_the_audit_finds_nothing(referral, operator, submitter, triage_all, sessions):
    done = [
        ("neurology", ["acknowledge", "release", "acknowledge", "complete"]),
        ("urgent", ["acknowledge", "release"]),
        ("urgent", ["reroute"]),
        ("clinical_review", ["return"]),
    ]
    for number, (queue, actions) in enumerate(done):
        path = referral(queue, mrn=f"MRN-{number}")["links"]["self"]
        for action in actions:
            assert operator.post(f"{path}/{action}", {**ACTIONS[action], **_confirmed(action)}).status_code == 200
    first = submitter.post("/v1/intakes", born(case_for("neurology").body("MRN-9"))).json["id"]
    amended = submitter.post("/v1/intakes", {**born(case_for("urgent").body("MRN-9")), "amends": first})
    assert amended.status_code == 202
    triage_all()
    everything = read_all(operator, 200)
    with sessions() as session:
        assert {name: count for name, count in findings(session).items() if count} == {}
        assert (check(session).head.number, check(session).broken) == (len(everything), None)


def _confirmed(action):
    return CONFIRMED if action in ("reroute", "return") else {}
