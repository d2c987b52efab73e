"""The self-audit finds nothing where all is well, and each thing that should never be."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text
from uuid_utils.compat import uuid7

from shared.platform import clock
from shared.platform.task_queues import LANES
from shared.store.event_log.chain import check
from shared.store.event_log.events import append_events
from shared.store.event_log.feed import head, number
from shared.store.numbering import NOTHING, Head
from shared.store.operations.audit import RECENT, examples, findings
from shared.tables import Delivery, Destination, Event, Referral

RED = {"bladder_change": "new_or_worse"}
CONSTRAINTS = text("""
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint
    where contype in ('c', 'f') and connamespace = 'public'::regnamespace and conrelid <> 0
""")


@pytest.fixture
def healthy(sessions, intake, triager):
    """A database in which things have happened: two referrals of each lane, all of their 12 events numbered."""
    for _ in range(2):
        intake(symptoms=RED)
        intake()
    for lane in LANES:
        triager.triage_waiting(lane)
    with sessions.begin() as session:
        referrals = session.execute(select(Referral.id, Referral.intake_id)).all()
        events = [{"type": "referral.noted", "referral_id": r.id, "intake_id": r.intake_id} for r in referrals]
        append_events(session, events * 2)
    with sessions.begin() as session:
        assert number(session) == 12
    return sessions


@pytest.fixture
def session(healthy):
    """A transaction in which rows change as nothing in the service can change them; nothing of it stays."""
    with healthy() as session:
        session.execute(text("alter table events disable trigger user"))
        for drop in session.scalars(CONSTRAINTS).all():
            session.execute(text(drop))
        yield session
        session.rollback()


def change(session, *statements):
    for statement in statements:
        session.execute(text(statement))


def found(session, **options):
    return {name: count for name, count in findings(session, **options).items() if count}


def recently():
    return clock.now() - RECENT


def test_where_all_is_well_everything_is_zero(healthy):
    with healthy() as session:
        assert found(session) == found(session, since=recently()) == {}
        assert check(session).broken is None


def test_an_empty_database_is_well(sessions):
    with sessions() as session:
        assert found(session) == found(session, since=recently()) == {}
        assert check(session) == check(session, 0, NOTHING.digest)
        assert check(session).head == NOTHING


BROKEN = {
    "triaged_without_referral": ["delete from referrals"],
    "decision_missing": ["delete from decisions"],
    "referral_without_events": ["delete from events"],
    "referral_in_no_list": ["update referrals set status = 'lost'"],
    "intake_in_no_list": ["update intakes set status = 'lost'"],
    "waiting_priority": ["update intakes set status = 'received', received_at = now() - interval '11 min'"],
    "waiting_routine": ["update intakes set status = 'received', received_at = now() - interval '11 min'"],
    "superseded_by_nothing": ["update referrals set status = 'superseded'"],
    "clock_missing": ["update referrals set escalate_at = null", "update events set at = now() - interval '4 min'"],
    "event_unnumbered": ["update events set number = null, digest = null, at = now() - interval '2 min'"],
    "number_missing": ["delete from events where number in (6, 9)"],
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_should_never_be_is_found(session, name):
    change(session, *BROKEN[name])
    everything = found(session)
    assert everything[name] > 0
    assert found(session, since=recently())[name] == everything[name]
    assert len(examples(session, name)) == min(everything[name], 5)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("update referrals set queue = 'elsewhere'", {"referral_in_no_list": 4}),
        ("update referrals set status = 'superseded', superseded_by = id", {"superseded_by_nothing": 4}),
        ("update intakes set lane = 'elsewhere'", {"intake_in_no_list": 4}),
        ("delete from decisions where intake_id = (select intake_id from referrals limit 1)", {"decision_missing": 1}),
        ("update intakes set status = 'received', received_at = now() - interval '9 min'", {}),
        ("update referrals set escalate_at = null", {}),  # the watchman may be about to start it
        ("update referrals set escalate_at = null where priority > 1", {}),  # only urgent work has one
        ("update referrals set escalate_at = null, escalation_level = 3", {}),  # all rungs are climbed
        ("update events set number = null, digest = null where number > 8", {}),  # they were added just now
    ],
)
def test_it_says_what_is_wrong_and_nothing_else(session, statement, expected):
    change(session, statement)
    assert found(session) == found(session, since=recently()) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "update queue_changes set change = change + 1 where id = (select min(id) from queue_changes)",
        "delete from queue_changes where queue = 'urgent'",
        "insert into queue_changes (facility, queue, priority, status, change) values ('a', 'urgent', 0, 'queued', 1)",
    ],
)
def test_a_queue_that_is_counted_wrong_is_found_by_the_audit_of_everything(session, statement):
    change(session, statement)
    assert found(session) == {"queue_miscounted": 1}
    assert found(session, since=recently()) == {}
    assert len(examples(session, "queue_miscounted")) == 1


def test_a_failed_triage_has_no_decision_and_that_is_well(session):
    change(session, "delete from decisions", "update referrals set pattern = 'triage_failed'")
    assert found(session) == {}


@pytest.mark.parametrize(
    ("to", "delivery", "expected"),
    [
        ("active", {}, {"delivery_overdue": 1}),
        ("disabled", {}, {}),
        ("active", {"due_at": func.now() - timedelta(minutes=59)}, {}),
        ("active", {"lease_until": func.now() + timedelta(seconds=30)}, {}),
        ("active", {"status": "delivered"}, {}),
        ("active", {"status": "lost"}, {"delivery_in_no_list": 1}),
        ("active", {"queue": "elsewhere", "due_at": func.now()}, {"delivery_in_no_list": 1}),
    ],
)
def test_a_delivery_that_does_not_move_is_found(session, to, delivery, expected):
    event_id, referral_id = session.execute(select(Event.id, Event.referral_id).limit(1)).one()
    destination = {"id": uuid7(), "queue": "urgent", "url": "https://a.example", "secret": b"", "status": to}
    session.execute(insert(Destination).values(destination))
    row = {"id": uuid7(), "destination_id": destination["id"], "referral_id": referral_id, "event_id": event_id}
    due = {"queue": "urgent", "payload": {}, "due_at": func.now() - timedelta(minutes=61)}
    session.execute(insert(Delivery).values({**row, **due, **delivery}))
    assert found(session) == found(session, since=recently()) == expected


def test_the_cheap_form_leaves_out_what_is_old(session):
    change(session, "delete from decisions")
    assert found(session, since=clock.now() + timedelta(minutes=1)) == {}


def test_a_gap_names_the_number_that_is_missing(session):
    change(session, "delete from events where number in (1, 6, 9)")
    assert examples(session, "number_missing") == ["1", "6", "9"]
    assert check(session).broken == 1


@pytest.mark.parametrize(
    "statement",
    [
        """update events set data = data || '{"note": "x"}' where number = 7""",
        "update events set at = at + interval '1 microsecond' where number = 7",
        "update events set by = 'Dr B' where number = 7",
        "update events set type = 'referral.queued.' where number = 7",
        "update events set digest = sha256('x') where number = 7",
        "delete from events where number = 7",
    ],
)
def test_what_was_changed_breaks_the_chain_there(session, statement):
    whole = check(session)
    assert (whole.head, whole.broken) == (head(session), None)
    change(session, statement)
    broken = check(session)
    assert (broken.head.number, broken.broken) == (6, 7)
    assert check(session, 3).broken == 7
    assert check(session, 8).broken is None


def test_a_head_that_was_kept_shows_a_chain_that_was_made_anew(session):
    """Whoever may write to the database can give every event a new digest, but not what was kept elsewhere."""
    kept = head(session)
    change(session, "update events set by = 'Dr B', number = null, digest = null")
    number(session)
    assert check(session).broken is None
    assert check(session, kept.number).broken is None
    assert check(session, kept.number, kept.digest).broken == kept.number


def test_a_head_that_is_gone_shows_too(session):
    kept = head(session)
    change(session, "delete from events where number > 10")
    assert check(session).head.number == 10
    assert check(session, kept.number, kept.digest).broken == kept.number
    assert str(Head(2, b"\x0a")) == "2:0a"
