"""A new version of a form: triaged afresh, in the place of the earlier one, never lower without a person."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update
from uuid_utils.compat import uuid7

from shared.tables import Delivery, Destination, Intake, Referral
from tests.api.conftest import Caller
from tests.cases import born, case_for

NOBODY = "0197c9a0-0000-7000-8000-000000000000"
BY = {"by": "Dr A. Okafor"}


@pytest.fixture
def send(submitter):
    """Return a function that posts a form which belongs in a queue, amending another intake where given."""

    def post(queue, amends=None, *, priority=None, sender=submitter, **headers):
        body = body_of(queue, priority) | ({"amends": amends["id"]} if amends else {})
        answer = sender.post("/v1/intakes", body, **headers)
        assert answer.status_code in (200, 202), answer.text
        return answer.json

    return post


@pytest.fixture
def referral_of(submitter, operator):
    """Return a function that reads the referral of an intake, as it stands."""

    def read(intake):
        path = submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]
        return operator.get(path).json

    return read


@pytest.fixture
def out_of_turn(sessions, triage_all):
    """Return a function that triages all but one intake, as if a worker held it, and one that then triages that."""

    def hold_back(intake):
        hold(Intake.id == intake["id"], func.now() + timedelta(hours=1))

    def let_go():
        hold(Intake.lease_until.is_not(None), None)

    def hold(which, until):
        with sessions.begin() as session:
            session.execute(update(Intake).where(which).values(lease_until=until))
        triage_all()

    return hold_back, let_go


@pytest.fixture
def happened(operator):
    """Return a function that reads the timeline of a referral, without times and ids."""

    def read(referral):
        events = operator.get(referral["links"]["events"]).json["events"]
        return [(event["type"], event["by"], event["data"]) for event in events]

    return read


def body_of(queue, priority=None):
    """Return a form which belongs in a queue, always of the same patient."""
    return born(case_for(queue, priority).body())


def place(referral):
    return referral["queue"], referral["priority"], referral["status"]


def at_once(operator, referral, action, **body):
    answer = operator.post(f"{referral['links']['self']}/{action}", BY | body)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_amendment_that_raises(send, referral_of, happened, triage_all, submitter):
    first = send("orthopedics")
    triage_all()
    second = send("urgent", first)
    triage_all()

    old, new = referral_of(first), referral_of(second)
    assert submitter.get(second["links"]["self"]).json["amends"] == first["id"]
    assert submitter.get(first["links"]["self"]).json["amends"] is None
    assert place(new) == ("urgent", "emergency", "queued")
    assert old["status"] == "superseded"
    assert not new["downgrade_proposed"]
    assert new["acknowledge_by"] > second["received_at"]
    assert (old["links"]["supersedes"], old["links"]["superseded_by"]) == (None, new["links"]["self"])
    assert (new["links"]["supersedes"], new["links"]["superseded_by"]) == (old["links"]["self"], None)
    (queued,) = happened(new)
    assert queued[0] == "referral.queued"
    assert queued[2]["supersedes"] == [old["id"]]
    assert "downgrade_proposed" not in queued[2]
    assert happened(old)[1:] == [("referral.superseded", None, {"superseded_by": new["id"]})]


def test_an_amendment_that_says_the_same_lets_the_clock_run_on(send, referral_of, triage_all):
    first = send("urgent")
    triage_all()
    was = referral_of(first)
    second = send("urgent", first)
    triage_all()
    new = referral_of(second)
    assert place(new) == ("urgent", "emergency", "queued")
    assert not new["downgrade_proposed"]
    assert new["acknowledge_by"] == was["acknowledge_by"]


def test_an_amendment_of_the_same_priority_goes_to_its_own_queue(send, referral_of, triage_all):
    first = send("clinical_review", priority="prompt")
    triage_all()
    was = referral_of(first)
    second = send("orthopedics", first, priority="prompt")
    triage_all()
    new = referral_of(second)
    assert place(new) == ("orthopedics", "prompt", "queued")
    assert not new["downgrade_proposed"]
    assert new["acknowledge_by"] == was["acknowledge_by"]


def test_an_amendment_that_would_rank_lower_keeps_the_place(send, referral_of, happened, triage_all, operator):
    first = send("urgent")
    triage_all()
    was = referral_of(first)
    second = send("orthopedics", first)
    triage_all()

    new = referral_of(second)
    assert place(new) == ("urgent", "emergency", "queued")
    assert new["downgrade_proposed"]
    assert new["decision"]["queue"] == "orthopedics"
    assert new["acknowledge_by"] == was["acknowledge_by"]
    (queued,) = happened(new)
    assert (queued[2]["queue"], queued[2]["priority"]) == ("urgent", "emergency")
    assert queued[2]["downgrade_proposed"] is True
    shown = operator.get("/v1/queues/urgent/referrals").json["referrals"]
    assert shown == [new]


def test_a_person_may_follow_the_proposal_and_the_next_version_follows_the_person(
    send, referral_of, triage_all, operator
):
    first = send("urgent")
    triage_all()
    second = send("orthopedics", first)
    triage_all()
    moved = at_once(operator, referral_of(second), "reroute", queue="neurology", reason="Known.", confirm=True)
    assert not moved["downgrade_proposed"]
    third = send("orthopedics", second)
    triage_all()
    new = referral_of(third)
    assert place(new) == ("neurology", "emergency", "queued")
    assert new["downgrade_proposed"]


def test_what_a_person_held_is_looked_at_again_by_the_earlier_time(send, referral_of, triage_all, operator):
    first = send("urgent")
    triage_all()
    held = at_once(operator, referral_of(first), "acknowledge")
    second = send("orthopedics", first)
    triage_all()
    new = referral_of(second)
    assert place(new) == ("urgent", "emergency", "queued")
    assert new["acknowledged"] is None
    assert new["acknowledge_by"] == held["acknowledge_by"]
    assert referral_of(first)["acknowledged"] == held["acknowledged"]


@pytest.mark.parametrize("ended", ["completed", "returned"])
def test_what_a_person_closed_stays_closed_and_sets_no_floor(ended, send, referral_of, triage_all, operator):
    first = send("urgent")
    triage_all()
    if ended == "completed":
        at_once(operator, referral_of(first), "acknowledge")
        at_once(operator, referral_of(first), "complete", outcome="Operated.")
    else:
        at_once(operator, referral_of(first), "return", reason="Known.", confirm=True)
    second = send("orthopedics", first)
    triage_all()
    new = referral_of(second)
    assert (new["queue"], new["status"], new["downgrade_proposed"]) == ("orthopedics", "queued", False)
    assert new["links"]["supersedes"] is None
    assert referral_of(first)["status"] == ended


def test_a_chain_of_three(send, referral_of, triage_all):
    first = send("urgent")
    triage_all()
    second = send("orthopedics", first)
    triage_all()
    third = send("orthopedics", second)
    triage_all()
    old, middle, new = (referral_of(each) for each in (first, second, third))
    assert [each["status"] for each in (old, middle, new)] == ["superseded", "superseded", "queued"]
    assert place(new) == ("urgent", "emergency", "queued")
    assert new["downgrade_proposed"]
    assert new["links"]["supersedes"] == middle["links"]["self"]
    assert old["links"]["superseded_by"] == middle["links"]["self"]


def test_two_that_amend_the_same_form_leave_the_newer_open(send, referral_of, triage_all):
    first = send("orthopedics")
    triage_all()
    left, right = send("urgent", first), send("orthopedics", first)
    triage_all()
    assert [referral_of(each)["status"] for each in (first, left, right)] == ["superseded", "superseded", "queued"]
    assert place(referral_of(right)) == ("urgent", "emergency", "queued")
    assert referral_of(right)["links"]["supersedes"] == referral_of(left)["links"]["self"]


@pytest.mark.parametrize("urgent_first", [True, False])
@pytest.mark.parametrize("older_first", [True, False])
def test_a_version_that_comes_before_the_first_is_triaged(
    urgent_first, older_first, send, referral_of, happened, out_of_turn
):
    """Whichever of the two is finished first, the newer is open, in the more urgent place."""
    hold_back, let_go = out_of_turn
    first = send("urgent" if urgent_first else "orthopedics")
    second = send("orthopedics" if urgent_first else "urgent", first)
    hold_back(second if older_first else first)
    let_go()

    old, new = referral_of(first), referral_of(second)
    assert old["status"] == "superseded"
    assert place(new) == ("urgent", "emergency", "queued")
    assert new["downgrade_proposed"] is urgent_first
    assert new["links"]["supersedes"] == old["links"]["self"]
    if urgent_first and not older_first:
        rerouted = happened(new)[1]
        assert rerouted == (
            "referral.rerouted",
            None,
            {
                "from": "orthopedics",
                "to": "urgent",
                "priority": "emergency",
                "reason": "an earlier version of this form is more urgent",
            },
        )
        assert new["acknowledge_by"] == old["acknowledge_by"]


def test_a_late_red_flag_is_taken_from_whoever_held_the_newer_form(send, referral_of, operator, out_of_turn):
    hold_back, let_go = out_of_turn
    first = send("urgent")
    second = send("orthopedics", first)
    hold_back(first)
    at_once(operator, referral_of(second), "acknowledge")
    let_go()
    new = referral_of(second)
    assert place(new) == ("urgent", "emergency", "queued")
    assert new["acknowledged"] is None


def test_whoever_holds_the_newer_form_keeps_it_if_the_older_is_less_urgent(send, referral_of, operator, out_of_turn):
    hold_back, let_go = out_of_turn
    first = send("orthopedics")
    second = send("urgent", first)
    hold_back(first)
    held = at_once(operator, referral_of(second), "acknowledge")
    let_go()
    new = referral_of(second)
    assert new["acknowledged"] == held["acknowledged"]
    assert place(new) == ("urgent", "emergency", "acknowledged")
    assert referral_of(first)["status"] == "superseded"


def test_what_was_superseded_is_shown_under_all_and_takes_no_action(send, referral_of, triage_all, operator):
    first = send("urgent")
    triage_all()
    second = send("urgent", first)
    triage_all()
    old = referral_of(first)
    shown = operator.get("/v1/queues/urgent/referrals?status=all").json["referrals"]
    assert {each["id"] for each in shown} == {old["id"], referral_of(second)["id"]}
    assert old in shown
    assert operator.get("/v1/queues/urgent/referrals?status=superseded").json["referrals"] == [old]
    answer = operator.post(f"{old['links']['self']}/acknowledge", BY)
    assert (answer.status_code, answer.json["referral_status"]) == (409, "superseded")


def test_the_departments_hear_of_both(send, referral_of, triage_all, sessions):
    with sessions.begin() as session:
        row = {"id": uuid7(), "queue": "urgent", "url": "https://department.example", "secret": b"sealed"}
        session.execute(insert(Destination).values(**row))
    first = send("urgent")
    triage_all()
    second = send("orthopedics", first)
    triage_all()
    with sessions() as session:
        sent = [each.payload for each in session.scalars(select(Delivery).order_by(Delivery.event_id))]
    old, new = referral_of(first)["id"], referral_of(second)["id"]
    delivered = [(each["type"], each["data"]["referral_id"], each["data"]["status"]) for each in sent]
    assert delivered == [
        ("referral.queued", old, "queued"),
        ("referral.queued", new, "queued"),
        ("referral.superseded", old, "superseded"),
    ]
    assert (sent[1]["data"]["queue"], sent[1]["data"]["priority"]) == ("urgent", "emergency")


@pytest.mark.parametrize(
    "amended", ["", "no-uuid", 7, [], {}, True, NOBODY.replace("-", ""), f"{{{NOBODY}}}", NOBODY.replace("0", "g")]
)
@pytest.mark.parametrize("path", ["/v1/intakes", "/v1/triage/preview"])
def test_what_is_no_id_is_refused(path, amended, submitter, sessions):
    answer = submitter.post(path, body_of("urgent") | {"amends": amended})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/amends"]
    assert count(sessions) == 0


def test_nothing_amends_what_is_not_there_or_another_facilitys(submitter, caller, sessions):
    neighbour = caller("submitter", facility="city")
    theirs = neighbour.post("/v1/intakes", body_of("urgent")).json["id"]
    answers = [submitter.post("/v1/intakes", body_of("urgent") | {"amends": each}) for each in (NOBODY, theirs)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({(answer.json["type"], answer.json["detail"]) for answer in answers}) == 1
    assert count(sessions) == 1


def test_null_amends_nothing(submitter):
    body = body_of("urgent") | {"amends": None}
    intake = submitter.post("/v1/intakes", body).json
    assert submitter.get(intake["links"]["self"]).json["amends"] is None
    assert submitter.post("/v1/triage/preview", body | {"amends": NOBODY}).status_code == 200


def test_an_amendment_is_replayed_like_any_other(send, submitter, triage_all, sessions):
    first = send("orthopedics")
    answers = [send("urgent", first, Idempotency_Key="k1") for _ in range(2)]
    assert answers[0] == answers[1]
    triage_all()
    assert send("urgent", first, Idempotency_Key="k1")["amends"] == first["id"]
    without = submitter.post("/v1/intakes", body_of("urgent"), Idempotency_Key="k1")
    assert (without.status_code, without.json["type"]) == (422, "urn:psoas:problem:idempotency-key-reused")
    assert count(sessions) == 2


def test_the_same_external_id_cannot_be_amended_by_itself(submitter):
    body = body_of("urgent")
    body["encounter"] = body.get("encounter", {}) | {"external_id": "E1"}
    first = submitter.post("/v1/intakes", body).json
    answer = submitter.post("/v1/intakes", body | {"amends": first["id"]})
    assert (answer.status_code, answer.json["intake_id"]) == (409, first["id"])


def test_many_amend_the_same_form_at_once(app, submitter, send, triage_all, sessions):
    first = send("urgent")
    triage_all()

    def amend(_: int):
        return send("orthopedics", first, sender=Caller(app.test_client(), submitter.key))

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(amend, range(24)))
    triage_all()
    with sessions() as session:
        stands = session.execute(select(Referral.queue, Referral.priority).where(Referral.status == "queued")).all()
        assert stands == [("urgent", 0)]
    assert count(sessions) == 25


def count(sessions) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(Intake))
