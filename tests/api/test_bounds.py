"""What pages, triage and the rounds of the watchman read of a large database: so many blocks, however much there is.

Taken from EXPLAIN, not from a clock. Every case is tried so that it could read ten times as much.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import STATUSES
from shared.migrations.migrate import upgrade
from shared.platform.clock import now
from shared.platform.database import create_engine
from shared.protocols import active
from shared.store.access.scope import Scope
from shared.store.contact.call_list import MAX_EXAMINED as CALLS_EXAMINED
from shared.store.contact.call_list import waiting_for_call
from shared.store.contact.forms import find as find_form
from shared.store.contact.overdue import mark_overdue
from shared.store.escalation import climb
from shared.store.event_log.feed import MAX_BATCH, Reader, number, page_for, timeline
from shared.store.event_log.feed import MAX_EXAMINED as EVENTS_EXAMINED
from shared.store.lists.finding import MAX_EXAMINED, Filter, listed
from shared.store.lists.intake_lists import IntakeFilter, intakes_of
from shared.store.lists.search import Wanted, search
from shared.store.lists.worklist import worklist
from shared.store.operations.pending_work import pending_work
from shared.store.operations.status_snapshot import status_snapshot
from shared.store.patients.record_numbers import mrn_hashes
from shared.store.queues import MAX_CHANGES, states
from shared.store.related import MAX_DUPLICATES
from shared.store.triage_outcome import FAILED
from shared.store.triage_queue import TriageOutcome, lease_batch, lock_batch, oldest_waiting, release_lease, renew_lease
from shared.store.versions import Versions
from tests.conftest import LOOKUP_KEY
from tests.sent import sent_by

FEW, MANY = 1_000, 10_000
PAGE = 50
OWN, ONE = "uuid_send(id)", "'0000'::bytea"  # whose number a form has: its patient's, or the one that all are given

FORMS = """
    insert into intakes (id, facility, status, lane, received_at, triaged_at, today, answers, identity, mrn_hash,
        body_hash, request_id)
    select id, case when number % 10 = 0 then 'city' else 'st-marys' end, 'triaged', 'routine', at, at, at::date,
        '{"answers": {}}', '', PATIENT, '', 'test'
    from (
        select gen_random_uuid() as id, number, now() - number * interval '1 second' as at
        from generate_series(cast(:first as int), cast(:last as int)) as number
    ) as form
"""

UNSETTLED = text("select sum(relpages - relallvisible) from pg_class where relname in ('referrals', 'deliveries')")


WAITING_FORMS = text(  # as long as real ones: how many there are is guessed from the size of the table
    FORMS.replace("'triaged'", "'received'")
    .replace("at, at, at::date", "at, null, at::date")
    .replace("'', PATIENT", f"decode(repeat('00', 1500), 'hex'), {OWN}")
)
ONE_EVENT = text("""
    insert into events (type, referral_id, intake_id)
    select 'referral.queued', id, intake_id from referrals order by id limit 1
""")
LEASE = timedelta(seconds=10)
EVERYTHING = Scope.everything()


@pytest.fixture
def grow(engine: Engine) -> Callable[..., None]:
    """Return a function that has so many referrals stand in one queue, with forms under their own number or one."""

    def grow(first: int, last: int, number: str) -> None:
        fill(engine, first, last, number)
        settle(engine)

    return grow


def fill(engine: Engine, first: int, last: int, number: str) -> None:
    """Do what `grow` does in a database that has not heard of it yet."""
    with engine.begin() as connection:
        connection.execute(text(FORMS.replace("PATIENT", number)), {"first": first, "last": last})
        connection.execute(
            text("""
                insert into referrals (id, intake_id, facility, queue, priority, pattern, headline, acknowledge_by)
                select gen_random_uuid(), id, facility, 'neurology', 3, 'p', 'h', received_at + interval '1 day'
                from intakes where not exists (select from referrals where intake_id = intakes.id)
            """)
        )


def settle(engine: Engine) -> None:
    """Do what autovacuum does in its own time, again where something else was still looking at what it cleaned."""
    deadline = time.monotonic() + 20
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
        while connection.scalar(UNSETTLED) and time.monotonic() < deadline:
            time.sleep(0.2)
            connection.execute(text("vacuum analyze referrals, deliveries"))


@dataclass
class Read:
    """What some statements read: blocks, the most rows that one step looked at, and rows looked up in tables."""

    blocks: int = 0
    rows: int = 0
    looked_up: int = 0

    def note(self, plan: dict[str, Any]) -> None:
        """Add what one plan says."""
        self.blocks += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        self._note_rows(plan)

    def _note_rows(self, plan: dict[str, Any]) -> None:
        seen = round((plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"])
        self.rows = max(self.rows, seen)
        if plan["Node Type"] in ("Seq Scan", "Index Scan", "Bitmap Heap Scan"):
            self.looked_up += seen
        self.looked_up += plan.get("Heap Fetches", 0)
        for part in plan.get("Plans", []):
            self._note_rows(part)


def read_by(engine: Engine, act: Callable[[Session], Any]) -> Read:
    """Return what the statements of `act` read. They are undone."""
    read = Read()
    with engine.connect() as connection:
        for statement, parameters in sent_by(engine, act):
            explained = connection.exec_driver_sql(f"explain (analyze, buffers, format json) {statement}", parameters)
            read.note(explained.scalar_one()[0]["Plan"])
    return read


def first_page(session: Session, scope: Scope = EVERYTHING) -> None:
    worklist(session, "neurology", "open", scope, limit=PAGE, after=None)


@pytest.mark.parametrize("number", [OWN, ONE])
def test_a_page_with_its_duplicates(number, engine, grow):
    grow(1, FEW, number)
    few = read_by(engine, first_page)
    grow(FEW + 1, MANY, number)
    many = read_by(engine, first_page)
    assert many.rows <= PAGE * (MAX_DUPLICATES + 1)
    assert many.blocks <= 1.5 * few.blocks


def test_a_page_with_its_duplicates_while_statistics_know_of_one(new_database):
    engine = create_engine(new_database("grown"))
    upgrade(engine)
    fill(engine, 1, 1, OWN)
    settle(engine)
    fill(engine, 2, MANY, OWN)
    assert read_by(engine, first_page).rows <= PAGE * (MAX_DUPLICATES + 1)
    engine.dispose()


def test_what_is_asked_all_the_time_while_statistics_know_of_none_open(new_database):
    engine = create_engine(new_database("closed"))
    upgrade(engine)
    fill(engine, 1, FEW, OWN)
    with engine.begin() as connection:
        connection.execute(text("update referrals set status = 'completed'"))
    settle(engine)
    fill(engine, FEW + 1, MANY, OWN)
    asked = {
        "page": (first_page, PAGE * (MAX_DUPLICATES + 1)),
        "page of a facility": (partial(first_page, scope=Scope.of_facility("city")), PAGE * (MAX_DUPLICATES + 1)),
        "pending work": (partial(pending_work, age=LEASE), MAX_CHANGES),
        "states": (partial(states, scope=EVERYTHING), PAGE),
        "contacts": (partial(mark_overdue, limit=PAGE), PAGE),
        "ladder": (partial(climb, targets=active().targets, limit=PAGE), PAGE),
        "numbers": (number, MAX_BATCH),
    }
    for name, (ask, most) in asked.items():
        assert read_by(engine, ask).rows <= most, name
    engine.dispose()


def test_foreign_keys_that_were_checked_first_while_tables_were_small(new_database):
    engine = create_engine(new_database("small"))
    upgrade(engine)
    fill(engine, 1, 1, OWN)
    settle(engine)
    with engine.connect() as connection:
        for _ in range(FEW // 10):
            connection.execute(ONE_EVENT)  # whose checks are planned for good by now
        connection.commit()
        fill(engine, 2, FEW, OWN)
        connection.execute(ONE_EVENT)
        read = connection.scalar(text("select sum(seq_tup_read) from pg_stat_xact_user_tables"))
    assert read <= PAGE
    engine.dispose()


def test_triage_of_one_form_while_statistics_know_of_one_that_waits(new_database):
    engine = create_engine(new_database("surged"))
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(WAITING_FORMS, {"first": 1, "last": 1})
    settle(engine)
    with engine.begin() as connection:
        connection.execute(WAITING_FORMS, {"first": 2, "last": MANY})
    with Session(engine) as session:
        claimed = lease_batch(session, "routine", limit=1, lease=LEASE)
    failed = FAILED["routine"] | {"acknowledge_by": now(), "clock_started_at": now(), "escalate_at": None}
    outcome = TriageOutcome(intake=claimed[0], record=None, **failed)
    for step in (
        partial(lock_batch, lane="routine", limit=1),
        partial(lease_batch, lane="routine", limit=1, lease=LEASE),
        partial(Versions(active().targets).finish_forms, outcomes=[outcome]),
        partial(release_lease, intakes=claimed),
        partial(renew_lease, intakes=claimed, lease=LEASE),
        oldest_waiting,
    ):
        assert read_by(engine, step).rows <= PAGE, step
    engine.dispose()


def test_a_batch_of_triage_before_there_are_statistics(new_database):
    engine = create_engine(new_database("new"))
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(WAITING_FORMS, {"first": 1, "last": 5 * MANY})
    for take in (
        partial(lock_batch, lane="routine", limit=PAGE),
        partial(lease_batch, lane="routine", limit=PAGE, lease=LEASE),
    ):
        assert read_by(engine, take).rows <= PAGE
    engine.dispose()


@pytest.mark.parametrize(
    "scope",
    [Scope.everything(), Scope.of_facility("city"), Scope.of_facility("nowhere")],
    ids=["all", "city", "nowhere"],
)
def test_what_a_reader_of_any_scope_asks(scope, engine, grow):
    grow(1, MANY, OWN)
    assert read_by(engine, lambda session: states(session, scope)).rows <= PAGE
    for status in ("open", "all", *STATUSES):
        read = read_by(engine, lambda session: worklist(session, "neurology", status, scope, limit=PAGE, after=None))  # noqa: B023
        assert read.rows <= PAGE, status


FINDING = {
    "open": {},
    "all": {"status": "all"},
    "of one queue": {"queue": "neurology", "status": "completed"},
    "overdue": {"overdue": True},
    "in time": {"overdue": False, "status": "all"},
    "of one priority": {"priority": "routine"},
    "of one priority that none has": {"priority": "emergency"},
    "tests": {"test": True, "status": "all"},
}


@pytest.mark.parametrize(
    "scope", [EVERYTHING, Scope.of_facility("city"), Scope.of_facility("nowhere"), Scope(None, ("urgent", "neurology"))]
)
def test_lists_over_all_queues(scope, engine, grow):
    grow(1, MANY, OWN)
    for name, asked in FINDING.items():
        wanted = Filter(facility=scope.facility, queues=scope.queues, **asked)
        read = read_by(engine, lambda session: listed(session, wanted, limit=PAGE, after=None))  # noqa: B023
        assert read.rows <= PAGE + 1, name
    for rare in ({"acknowledged_by": "Nobody"}, {"contact_overdue": True}):
        wanted = Filter(facility=scope.facility, queues=scope.queues, status="all", **rare)
        read = read_by(engine, lambda session: listed(session, wanted, limit=PAGE, after=None))  # noqa: B023
        assert read.rows <= MAX_EXAMINED, rare


@pytest.mark.parametrize("scope", [EVERYTHING, Scope.of_facility("city"), Scope(None, ("urgent", "neurology"))])
def test_who_waits_for_a_call_is_found_among_the_most_pressing_cases_alone(scope, engine, grow):
    grow(1, MANY, OWN)
    read = read_by(engine, lambda session: waiting_for_call(session.connection(), scope, limit=PAGE))
    assert read.rows <= CALLS_EXAMINED * 2  # of both statuses in the one queue that has cases


def test_a_key_of_a_facility_that_asks_for_the_other_kind_reads_nothing(engine, grow):
    grow(1, MANY, OWN)
    city = Scope.of_facility("city")
    for ask in (
        lambda session: listed(session, Filter(facility="city", status="all", test=True), limit=PAGE, after=None),
        lambda session: worklist(
            session, "neurology", "all", Scope.of_facility("city"), limit=PAGE, after=None, test=True
        ),
        lambda session: states(session, city, test=True),
    ):
        assert read_by(engine, ask).rows <= 1


def test_real_ones_are_found_behind_any_number_of_tests(engine, grow):
    grow(1, MANY, OWN)
    with engine.begin() as connection:
        connection.execute(text("insert into facilities (name, kind) values ('st-marys', 'test')"))
        connection.execute(text("update referrals set test = true where facility = 'st-marys'"))
    settle(engine)
    for test in (False, True):
        assert read_by(engine, lambda session: states(session, EVERYTHING, test=test)).rows <= PAGE  # noqa: B023
        for ask in (
            partial(listed, wanted=Filter(status="all", test=test), limit=PAGE, after=None),
            partial(worklist, queue="neurology", status="all", scope=EVERYTHING, limit=PAGE, after=None, test=test),
        ):
            assert read_by(engine, ask).rows <= PAGE + 1


def test_search_and_a_facilitys_own_intakes(engine, grow):
    grow(1, MANY, "'\\x00'::bytea")
    key = bytes(32)
    with engine.begin() as connection:
        connection.execute(text("insert into facilities (name) values ('st-marys'), ('city')"))
        connection.execute(text("update intakes set external_id = id::text"))
        reference, name = connection.execute(
            text("select reference, external_id from referrals join intakes on intakes.id = intake_id limit 1")
        ).one()
        ours = mrn_hashes(key, "st-marys", "MRN-1").normalised
        connection.execute(text("update intakes set patient_hash = :hash"), {"hash": ours})
    settle(engine)
    for known in ({"reference": reference}, {"external_id": name}, {"mrn": "MRN-1"}):
        wanted = Wanted((key,), **known)
        read = read_by(
            engine,
            lambda session: search(session, wanted, EVERYTHING, test=False, limit=PAGE, after=None),  # noqa: B023
        )
        assert read.rows <= PAGE * (MAX_DUPLICATES + 1), known
    since = now() - timedelta(hours=1)
    for asked in ({}, {"status": "received"}, {"since": since}, {"external_id": name}):
        for facility in ("city", "nowhere"):
            wanted, keys = IntakeFilter(**asked), (LOOKUP_KEY,)
            own = partial(intakes_of, facility=facility, wanted=wanted, lookup_keys=keys, limit=PAGE, after=None)
            assert read_by(engine, own).rows <= PAGE, asked


def test_a_senders_feed_and_a_timeline(engine, grow):
    grow(1, MANY, OWN)
    with engine.begin() as connection:
        connection.execute(text(DELIVERIES))
        connection.execute(
            text("""
                insert into events (number, digest, type, referral_id, intake_id)
                select 1000000 + number, '', 'referral.form_read', id, intake_id
                from (select id, intake_id from referrals order by id limit 1) as one,
                    generate_series(1, 10000) as number
            """)
        )
        one = connection.scalar(text("select id from referrals order by id limit 1"))
    settle(engine)
    sender = Reader("city", as_sender=True)
    for ask in (
        lambda session: page_for(session, Reader(), 0, limit=PAGE),
        lambda session: page_for(session, sender, 0, limit=PAGE),
        lambda session: page_for(session, sender, 1_000_000, limit=PAGE),
        lambda session: timeline(session, one, sender, 0, limit=PAGE),
        lambda session: timeline(session, one, Reader(), 0, limit=PAGE),
    ):
        assert read_by(engine, ask).rows <= EVENTS_EXAMINED


CONTACTS = text("""
    update referrals set contact_by = now() + (row_number - 1 - :overdue) * interval '1 minute'
    from (select id as found, row_number() over (order by id) from referrals) as numbered where id = found
""")


@pytest.mark.parametrize("overdue", [0, MANY])
def test_contacts_that_are_overdue_are_found_along_their_index(overdue, engine, grow):
    grow(1, MANY, OWN)
    with engine.begin() as connection:
        connection.execute(CONTACTS, {"overdue": overdue})
    settle(engine)
    assert read_by(engine, partial(mark_overdue, limit=PAGE)).rows <= PAGE
    assert read_by(engine, partial(pending_work, age=LEASE)).rows <= MAX_CHANGES


def test_a_form_is_read_by_its_id(engine, grow):
    grow(1, MANY, OWN)
    with Session(engine) as session:
        one = session.scalar(text("select id from referrals limit 1"))
    assert read_by(engine, partial(find_form, referral_id=one, scope=Scope("city", ["neurology"]))).rows <= 1


DELIVERIES = """
    with destination as (
        insert into destinations (id, queue, url, secret)
        values (gen_random_uuid(), 'neurology', 'https://a.example', '') returning id
    ), event as (
        insert into events (number, digest, type, referral_id, intake_id)
        select row_number() over (), '', 'referral.queued', id, intake_id from referrals
        returning id, referral_id
    )
    insert into deliveries (id, destination_id, referral_id, event_id, queue, payload, status, created_at)
    select gen_random_uuid(), destination.id, referral_id, event.id, 'neurology',
        jsonb_build_object('as long as', repeat('one', 150)),
        case event.id % 50 when 0 then 'due' when 1 then 'parked' else 'delivered' end, now()
    from event cross join destination
"""


def test_what_is_due_and_parked_is_counted_in_an_index(engine, grow):
    grow(1, MANY, OWN)
    with engine.begin() as connection:
        connection.execute(text(DELIVERIES))
    settle(engine)
    counted = read_by(engine, status_snapshot)
    assert counted.rows >= MANY // 50
    assert counted.looked_up <= PAGE
