"""Two forms of one patient: both are taken, and each shows the other for as long as both are open."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from shared.store.related import MAX_DUPLICATES
from shared.tables import Referral
from tests.cases import case_for

DAYS = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


def shown(referral):
    return [each["id"] for each in referral["duplicates"]]


@pytest.fixture
def read(operator):
    def again(referral):
        return operator.get(referral["links"]["self"]).json

    return again


@pytest.fixture
def age(sessions):
    """Return a function that sets when a referral's form was received, counted from another's."""

    def received(referral, after, other):
        with sessions.begin() as session:
            moment = session.scalar(select(Referral.form_received_at).where(Referral.id == other["id"]))
            mine = update(Referral).where(Referral.id == referral["id"])
            session.execute(mine.values(form_received_at=moment + after))

    return received


def test_each_shows_the_other(referral, read, operator):
    first, second = referral("urgent"), referral("neurology")
    first = read(first)
    assert first["duplicates"] == [
        {
            "id": second["id"],
            "queue": "neurology",
            "status": "queued",
            "created_at": second["created_at"],
            "links": {"self": second["links"]["self"]},
        }
    ]
    assert shown(second) == [first["id"]]
    assert operator.get("/v1/queues/urgent/referrals").json["referrals"] == [first]
    assert operator.get("/v1/queues/neurology/referrals").json["referrals"] == [second]


def test_an_action_answers_with_them_too(referral, operator):
    first, second = referral("urgent"), referral("neurology")
    answer = operator.post(f"{first['links']['self']}/acknowledge", {"by": "Dr A. Okafor"})
    assert shown(answer.json) == [second["id"]]
    assert operator.get(second["links"]["self"]).json["duplicates"][0]["status"] == "acknowledged"


def test_several_are_shown_oldest_first(referral):
    made = [referral("neurology")["id"] for _ in range(3)]
    last = referral("neurology")
    assert shown(last) == made


def test_another_patient_is_no_duplicate(referral, read):
    first = referral("urgent")
    assert shown(referral("urgent", mrn="MRN-2")) == shown(read(first)) == []


def test_another_facility_is_never_linked(referral, read, caller):
    first = referral("urgent")
    theirs = referral("urgent", sender=caller("submitter", facility="city"))
    assert shown(theirs) == shown(read(first)) == []


@pytest.mark.parametrize(("apart", "linked"), [(14 * DAYS, True), (14 * DAYS + MOMENT, False)])
def test_fourteen_days_either_way(apart, linked, referral, read, age):
    first, second = referral("urgent"), referral("neurology")
    age(second, apart, first)
    assert shown(read(first)) == ([second["id"]] if linked else [])
    assert shown(read(second)) == ([first["id"]] if linked else [])


@pytest.mark.parametrize("status", ["completed", "returned", "superseded"])
def test_what_is_closed_neither_is_shown_nor_shows(status, referral, read, sessions):
    first, second = referral("urgent"), referral("neurology")
    with sessions.begin() as session:
        closed = update(Referral).where(Referral.id == first["id"])
        session.execute(closed.values(status=status, superseded_by=Referral.id if status == "superseded" else None))
    assert shown(read(first)) == shown(read(second)) == []


def test_versions_of_one_form_are_no_duplicates_of_each_other(referral, submitter, read, triage_all, operator):
    first, apart = referral("urgent"), referral("neurology")
    body = case_for("urgent").body() | {"amends": first["intake_id"]}
    path = submitter.post("/v1/intakes", body).headers["Location"]
    triage_all()
    new = operator.get(submitter.get(path).json["referral"]["links"]["self"]).json
    assert shown(new) == [apart["id"]]
    assert shown(read(first)) == []
    assert shown(read(apart)) == [new["id"]]


def test_what_a_worker_of_the_release_before_adds_is_shown(referral, submitter, read, sessions):
    first = referral("urgent")
    submitter.post("/v1/intakes", case_for("neurology").body())
    with sessions.begin() as session:
        session.execute(
            text("""
                insert into referrals (id, intake_id, facility, queue, priority, pattern, headline, acknowledge_by)
                select gen_random_uuid(), id, facility, 'neurology', 3, 'pattern', 'A case', now()
                from intakes where status = 'received'
            """)
        )
    assert len(shown(read(first))) == 1


def test_a_department_learns_that_another_queue_has_one_and_no_more(referral, caller):
    first, second = referral("urgent"), referral("neurology")
    neurology = caller("department", queues=["neurology"])
    (other,) = neurology.get(second["links"]["self"]).json["duplicates"]
    assert (other["id"], other["queue"]) == (first["id"], "urgent")
    assert neurology.get(other["links"]["self"]).status_code == 404


def test_the_sender_sees_them(referral, submitter):
    first, second = referral("urgent"), referral("neurology")
    answer = submitter.get(second["links"]["self"]).json
    assert (answer["patient"], shown(answer)) == (None, [first["id"]])


def test_a_number_under_which_everything_is_sent_makes_no_page_endless(referral, read, submitter, triage_all):
    first = referral("urgent")
    for _ in range(MAX_DUPLICATES + 3):
        submitter.post("/v1/intakes", case_for("neurology").body())
    triage_all()
    assert len(shown(read(first))) == MAX_DUPLICATES


SAME_NUMBER = {
    "a space behind": "Mr\u00fc-1 ",
    "spaces before": "  Mr\u00fc-1",
    "full-width digit": "Mr\u00fc-\uff11",
    "decomposed letter": "Mru\u0308-1",
    "soft hyphen": "Mr\u00fc\u00ad-1",
    "no width": "Mr\u00fc-1\u200b",
}


@pytest.mark.parametrize("mrn", SAME_NUMBER.values(), ids=SAME_NUMBER.keys())
def test_a_number_that_reads_alike_is_the_same_patient(mrn, referral, read):
    first, second = referral("urgent", mrn="Mr\u00fc-1"), referral("neurology", mrn=mrn)
    assert (shown(read(first)), shown(second)) == ([second["id"]], [first["id"]])
    assert second["patient"]["mrn"] == mrn  # as typed


@pytest.mark.parametrize(
    ("before", "now"), [("MRN-1", "MRN-1 "), ("MRN-1 ", "MRN-1 "), ("MRN-1", "MRN-1")], ids=["normal", "typed", "both"]
)
def test_a_form_of_the_release_before_is_shown_until_its_number_is_hashed_anew(before, now, referral, read, sessions):
    first = referral("urgent", mrn=before)
    with sessions.begin() as session:
        for table in ("intakes", "referrals"):
            session.execute(text(f"update {table} set patient_hash = null"))  # noqa: S608 - a constant
    second = referral("neurology", mrn=now)
    assert (shown(read(first)), shown(second)) == ([second["id"]], [first["id"]])


def test_a_number_in_other_case_is_another_patient(referral):
    referral("urgent", mrn="MRN-1")
    assert shown(referral("neurology", mrn="mrn-1")) == []
