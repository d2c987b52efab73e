"""Queues and worklists: the counts, the order, and pages that neither lose nor repeat a referral."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update
from uuid_utils.compat import uuid7

from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES, STATUSES
from shared.store.access.scope import Scope
from shared.store.lists.worklist import WorklistPosition, worklist
from shared.store.queues import states
from shared.tables import Decision, Intake, Referral
from tests.sent import sent_by

START = datetime(2026, 11, 23, tzinfo=UTC)
MANY = 24_000


def rows(number: int, cipher) -> tuple[dict, dict]:
    """Return an intake and its referral; queue, priority, status and due time repeat in cycles of their own."""
    intake_id, referral_id = uuid7(), uuid7()
    queue = QUEUES[number % 4]
    status = STATUSES[(number // 4) % 5]
    held = "Dr A. Okafor" if status == "acknowledged" else None
    intake = {
        "id": intake_id,
        "facility": ("st-marys", "city")[number % 3 == 0],
        "external_id": None,
        "status": "triaged",
        "lane": "routine",
        "triaged_at": START,
        "today": START.date(),
        "answers": {"answers": {}, "age_years": 46, "phrases": []},
        "identity": cipher.seal(b'{"mrn":"MRN","birth_date":"1980-05-17"}', row=str(intake_id)),
        "mrn_hash": intake_id.bytes,
        "body_hash": b"",
        "request_id": "test",
    }
    referral = {
        "id": referral_id,
        "intake_id": intake_id,
        "facility": intake["facility"],
        "queue": queue,
        "priority": number % 2 if queue == "urgent" else number % 7 % 4,
        "status": status,
        "pattern": "undifferentiated",
        "headline": "A case",
        "acknowledge_by": START + timedelta(minutes=number * 7919 % 50),
        "acknowledged_by": held,
        "acknowledged_at": held and START,
        "superseded_by": referral_id if status == "superseded" else None,
    }
    return intake, referral


@pytest.fixture
def referrals(app, sessions):
    """Return a function that stores so many referrals."""

    def store(count: int) -> list[dict]:
        cipher = app.extensions["psoas"].cipher
        made = [rows(number, cipher) for number in range(count)]
        with sessions.begin() as session:
            session.execute(insert(Intake), [intake for intake, _ in made])
            session.execute(insert(Referral), [referral for _, referral in made])
        return [referral for _, referral in made]

    return store


def in_order(made, queue, statuses):
    shown = [each for each in made if each["queue"] == queue and each["status"] in statuses]
    shown.sort(key=lambda each: (each["priority"], each["acknowledge_by"], each["id"]))
    return [str(each["id"]) for each in shown]


def walk(operator, path, cursor=""):
    """Follow the cursors of `path` to the last page; return the ids as shown."""
    shown = []
    while cursor is not None:
        answer = operator.get(path + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200
        shown += [each["id"] for each in answer.json["referrals"]]
        cursor = answer.json["next"]
    return shown


@pytest.mark.parametrize("limit", [1, 7, 25, 200])
@pytest.mark.parametrize(
    ("status", "statuses"),
    [("open", ("queued", "acknowledged")), ("all", STATUSES), *((status, (status,)) for status in STATUSES)],
)
def test_pages_are_complete_and_in_order(status, statuses, limit, operator, referrals):
    made = referrals(300)
    for queue in ("urgent", "neurology"):
        path = f"/v1/queues/{queue}/referrals?status={status}&limit={limit}"
        assert walk(operator, path) == in_order(made, queue, statuses)


def test_open_and_fifty_are_the_defaults(operator, referrals):
    made = referrals(600)
    answer = operator.get("/v1/queues/neurology/referrals").json
    assert [each["id"] for each in answer["referrals"]] == in_order(made, "neurology", ("queued", "acknowledged"))[:50]
    assert isinstance(answer["next"], str)


def test_a_worklist_shows_whole_referrals(operator, referral):
    first = referral("urgent")
    assert operator.get("/v1/queues/urgent/referrals").json == {"referrals": [first], "next": None}


def test_what_moves_between_two_pages_is_not_shown_twice(operator, referrals, sessions):
    made = referrals(100)
    first = operator.get("/v1/queues/neurology/referrals?limit=3").json
    with sessions.begin() as session:
        session.execute(update(Referral).where(Referral.id == first["referrals"][0]["id"]).values(status="completed"))
    rest = walk(operator, "/v1/queues/neurology/referrals?limit=3", first["next"])
    assert rest == in_order(made, "neurology", ("queued", "acknowledged"))[3:]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        *((f"limit={limit}", "/limit") for limit in ("0", "201", "-1", "1.5", "ten", "", "1e2", "+5", "%205", "٣")),
        *((f"status={status}", "/status") for status in ("closed", "", "Open", "queued,completed")),
        *((f"cursor={cursor}", "/cursor") for cursor in ("x", "e30", "bm90IGpzb24", "WzAsMSwyXQ", "%00", "AAAA=")),
        ("cursor=WzksIjIwMjYtMTEtMjNUMDA6MDA6MDBaIiwiMDE5N2M5YTAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwIl0", "/cursor"),
        ("limit=5&limit=6", "/limit"),
        ("stauts=all", "/stauts"),
        ("limit=5&page=2", "/page"),
    ],
)
def test_a_query_that_is_refused(query, pointer, operator):
    answer = operator.get(f"/v1/queues/urgent/referrals?{query}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_queue_that_does_not_exist(operator):
    assert operator.get("/v1/queues/surgery/referrals").status_code == 404


def test_how_the_queues_stand(operator, referral):
    first = referral("urgent")
    referral("urgent", mrn="MRN-2")
    referral("orthopedics", mrn="MRN-3")
    operator.post(f"{first['links']['self']}/acknowledge", {"by": "Dr A. Okafor"})
    queues = operator.get("/v1/queues").json["queues"]
    assert [queue["name"] for queue in queues] == list(QUEUES)
    urgent, neurology = queues[:2]
    assert 0 < urgent.pop("oldest_age_seconds") < 60
    assert urgent == {
        "name": "urgent",
        "label": "Urgent",
        "open": 2,
        "unacknowledged": 1,
        "overdue": 0,
        "by_priority": {"emergency": 2, "urgent": 0, "prompt": 0, "routine": 0},
    }
    assert (neurology["open"], neurology["oldest_age_seconds"]) == (0, None)


def test_the_counts_are_those_of_the_rows(operator, referrals):
    made = [each for each in referrals(500) if each["status"] in ("queued", "acknowledged")]
    for queue in operator.get("/v1/queues").json["queues"]:
        here = [each for each in made if each["queue"] == queue["name"]]
        assert queue["open"] == len(here)
        assert queue["unacknowledged"] == sum(each["status"] == "queued" for each in here)
        assert queue["by_priority"] == {
            name: sum(each["priority"] == place for each in here) for place, name in enumerate(PRIORITIES)
        }


def test_overdue_is_counted(operator, referral, sessions):
    referral("urgent")
    with sessions.begin() as session:
        session.execute(update(Referral).values(acknowledge_by=START - timedelta(days=365)))
    assert operator.get("/v1/queues").json["queues"][0]["overdue"] == 1


LATER = WorklistPosition(1, START + timedelta(minutes=20), uuid7())


def test_no_worklist_reads_a_large_table_from_end_to_end(referrals, sessions):
    made = referrals(MANY)
    with sessions.begin() as session:
        decisions = [{"intake_id": each["intake_id"], "record": {}, "protocol_version": "1"} for each in made]
        session.execute(insert(Decision), decisions)
        session.execute(text("analyze"))
    for status in ("open", "all", *STATUSES):
        for scope in (Scope.everything(), Scope.of_facility("city"), Scope(None, ("urgent", "neurology"))):
            for after in (None, LATER):
                plan = explained(
                    sessions,
                    lambda session: worklist(session, "neurology", status, scope, limit=51, after=after),  # noqa: B023
                )
                assert "Seq Scan" not in plan
                walk, _, _twenty_duplicates = plan.partition("SubPlan")
                assert "Index Scan" in walk
                assert "Sort  (" not in walk  # a step; a merge has a sort key, too


def explained(sessions, act) -> str:
    engine = sessions.kw["bind"]
    ((statement, values),) = sent_by(engine, act)
    with engine.connect() as connection:
        return "\n".join(connection.exec_driver_sql(f"explain {statement}", values).scalars())


def test_the_state_of_the_queues_reads_open_referrals_only(referrals, sessions):
    referrals(400)
    with sessions.begin() as session:
        open_ones = session.scalars(select(Referral.id).where(Referral.status.in_(("queued", "acknowledged")))).all()
        assert sum(state.open for state in states(session, Scope.everything()).values()) == len(open_ones)
