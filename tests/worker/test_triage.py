"""A waiting intake becomes one referral, however often, by however many and under whatever form it is triaged."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import NullPool, create_engine, func, select, text, update
from sqlalchemy.exc import OperationalError

from services.worker.triage.sandbox import Sandbox
from services.worker.triage.triager import BATCHES, IN_BATCH_SECONDS, MAX_ATTEMPTS
from shared.clinical.triage import triage
from shared.platform.logs import configure_logs
from shared.store.triage_queue import finish, lease_batch, lock_batch, release_lease
from shared.tables import Decision, Event, Intake, Referral
from tests.worker.misbehave import COMMAND as MISBEHAVING
from tests.worker.misbehave import HANGS, KILLS, RAISES, misbehave

RED = {"bladder_change": "new_or_worse"}
CUT_OFF = text("""
    select pg_terminate_backend(pid, 1000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and usename = current_user
""")


def rows(sessions, table, **by):
    with sessions() as session:
        return list(session.scalars(select(table).filter_by(**by)))


def referral(sessions, intake_id):
    (row,) = rows(sessions, Referral, intake_id=intake_id)
    return row


@pytest.fixture(params=[False, True], ids=["claims", "holds"])
def triager(triager, request):
    """Return the triager as it begins, and as it goes on."""
    triager.last_batch_completed = request.param
    return triager


@pytest.fixture
def changed(triager):
    """Return a function that changes parts of the triager."""

    def change(**parts):
        other = replace(triager, **parts)
        other.last_batch_completed = triager.last_batch_completed
        return other

    return change


@pytest.fixture
def misbehaving(changed):
    with Sandbox(MISBEHAVING) as sandbox:
        yield changed(decide=misbehave, sandbox=sandbox)


def test_an_intake_becomes_a_referral_with_its_decision_and_first_event(sessions, intake, triager):
    intake_id = intake(symptoms=RED)

    assert triager.triage_waiting("priority") == 1

    routed = referral(sessions, intake_id)
    assert (routed.queue, routed.priority, routed.status) == ("urgent", 0, "queued")
    (stored,) = rows(sessions, Intake, id=intake_id)
    assert (stored.status, stored.lease_until) == ("triaged", None)
    assert routed.acknowledge_by == stored.received_at + timedelta(minutes=10)
    (decision,) = rows(sessions, Decision, intake_id=intake_id)
    assert decision.record["red_flags"] == routed.red_flags == ["RF_BLADDER_BOWEL"]
    assert decision.record["headline"] == routed.headline
    (event,) = rows(sessions, Event, intake_id=intake_id)
    assert (event.type, event.referral_id, event.data["queue"]) == ("referral.queued", routed.id, "urgent")


def test_a_lane_is_triaged_by_itself(sessions, intake, triager):
    routine, priority = intake(), intake(symptoms=RED)
    assert triager.triage_waiting("priority") == 1
    assert referral(sessions, priority).queue == "urgent"
    assert rows(sessions, Referral, intake_id=routine) == []


def test_triaging_twice_is_triaging_once(sessions, intake, triager):
    intake_id = intake()
    assert [triager.triage_waiting("routine") for _ in range(2)] == [1, 0]
    assert len(rows(sessions, Referral, intake_id=intake_id)) == len(rows(sessions, Event, intake_id=intake_id)) == 1


def test_finishing_twice_is_finishing_once(sessions, intake, triager):
    intake_id = intake()
    with sessions.begin() as session:
        (claimed,) = lease_batch(session, "routine", limit=9, lease=timedelta(seconds=9))
    outcome = triager._outcome(claimed, None)  # noqa: SLF001 - what two workers may come to at once
    finished = []
    for _ in range(2):
        with sessions.begin() as session:
            finished.append(finish(session, [outcome]))
    assert finished == [[], []]  # nobody listens
    assert len(rows(sessions, Referral, intake_id=intake_id)) == len(rows(sessions, Event, intake_id=intake_id)) == 1


def test_many_at_once_make_one_referral_each(sessions, intake, triager):
    for _ in range(60):
        intake()
    without_signals = replace(triager, sandbox_only=True)  # threads cannot be interrupted
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: claim_and_finish(without_signals), range(12)))
    assert len(rows(sessions, Referral)) == len(rows(sessions, Event)) == 60


def claim_and_finish(triager):
    with triager.sessions.begin() as session:
        claimed = lease_batch(session, "routine", limit=10, lease=timedelta(seconds=9))
    for _ in range(2):
        with triager.sessions.begin() as session:
            finish(session, [triager._outcome(one, None) for one in claimed])  # noqa: SLF001


def test_what_is_given_back_is_anybodys_at_once(sessions, intake, triager):
    intake()
    with sessions.begin() as session:
        claimed = lease_batch(session, "routine", limit=9, lease=timedelta(seconds=60))
    for _ in range(2):
        with sessions.begin() as session:
            release_lease(session, claimed)
    assert triager.triage_waiting("routine") == 1
    with sessions.begin() as session:
        release_lease(session, claimed)  # it is triaged meanwhile, and stays so
    assert triager.triage_waiting("routine") == 0


def test_who_is_cut_off_from_the_database_keeps_nothing_to_itself(sessions, intake, triager, changed):
    intake_id = intake(symptoms=RED)
    outside = create_engine(sessions.kw["bind"].url, poolclass=NullPool)

    def cut_off(form, protocol):
        with outside.connect() as connection:
            connection.execute(CUT_OFF)
        return triage(form, protocol)

    with pytest.raises(OperationalError):
        changed(decide=cut_off).triage_waiting("priority")
    assert triager.triage_waiting("priority") == 1
    assert referral(sessions, intake_id).queue == "urgent"


def test_a_claimed_intake_is_nobody_elses_until_its_lease_ends(sessions, intake):
    intake()
    with sessions.begin() as session:
        assert len(lease_batch(session, "routine", limit=9, lease=timedelta(seconds=60))) == 1
    with sessions.begin() as session:
        assert lease_batch(session, "routine", limit=9, lease=timedelta(seconds=60)) == []
        session.execute(update(Intake).values(lease_until=func.now() - timedelta(seconds=1)))
    with sessions.begin() as session:
        (again,) = lease_batch(session, "routine", limit=9, lease=timedelta(seconds=60))
    assert again.attempts == 2


def test_a_held_intake_is_nobody_elses_until_the_transaction_ends(sessions, intake):
    intake()
    with sessions() as holder, sessions.begin() as other:
        assert len(lock_batch(holder, "routine", limit=9)) == 1
        assert (
            lock_batch(other, "routine", limit=9)
            == lease_batch(other, "routine", limit=9, lease=timedelta(seconds=9))
            == []
        )
    (stored,) = rows(sessions, Intake)
    assert (stored.status, stored.attempts, stored.lease_until) == ("received", 0, None)
    with sessions.begin() as session:
        assert len(lock_batch(session, "routine", limit=9)) == 1


def test_whoever_got_to_the_end_of_a_batch_claims_none_of_the_next(sessions, intake, triager):
    triager.triage_waiting("routine")
    intake_id = intake()
    triager.triage_waiting("routine")
    (stored,) = rows(sessions, Intake, id=intake_id)
    assert (stored.status, stored.attempts) == ("triaged", 0)


def test_after_a_batch_that_ended_otherwise_the_attempt_is_counted_before_anything_is_decided(
    sessions, intake, changed
):
    def ends(*_):
        attempts.append(rows(sessions, Intake)[0].attempts)
        raise SystemExit

    attempts: list[int] = []
    intake()
    told_to_stop = changed(decide=ends)
    told_to_stop.last_batch_completed = True
    for _ in range(2):
        with pytest.raises(SystemExit):
            told_to_stop.triage_waiting("routine")
    assert attempts == [0, 1]
    assert rows(sessions, Referral) == []


def test_versions_and_forms_of_one_batch_are_all_triaged_in_one_go(sessions, intake, triager):
    first = intake(symptoms=RED)
    second = intake(symptoms=RED, amends=first, first_version=first)
    third = intake(symptoms=RED)
    assert triager.triage_waiting("priority") == 3
    assert {one.intake_id for one in rows(sessions, Referral)} == {first, second, third}
    assert referral(sessions, first).status == "superseded"


def test_the_oldest_are_claimed_first_and_no_more_than_the_limit(sessions, intake):
    ages = [timedelta(minutes=minutes) for minutes in (1, 3, 2)]
    by_age = {age: intake(waited=age) for age in ages}
    with sessions.begin() as session:
        claimed = lease_batch(session, "routine", limit=2, lease=timedelta(seconds=9))
    assert [one.id for one in claimed] == [by_age[ages[1]], by_age[ages[2]]]


@pytest.mark.parametrize("score", [RAISES, HANGS])
def test_a_form_that_raises_or_hangs_goes_to_a_human_and_its_batch_goes_on(sessions, intake, misbehaving, score):
    bad, good = intake(symptoms={"pain_score": score}), intake(symptoms={"pain_score": 5})

    misbehaving.triage_waiting("routine")

    failed = referral(sessions, bad)
    assert (failed.queue, failed.priority, failed.pattern) == ("clinical_review", 2, "triage_failed")
    assert failed.red_flags == []
    assert rows(sessions, Decision, intake_id=bad) == []
    assert referral(sessions, good).pattern != "triage_failed"


def test_a_form_that_waits_for_the_processor_does_not_hang(sessions, intake, changed):
    def starve(form, protocol):
        time.sleep(2 * IN_BATCH_SECONDS)  # what a busy machine does to it
        return triage(form, protocol)

    good = intake(symptoms={"pain_score": 5})
    nobody = Sandbox(("false",))  # to decide it alone
    changed(decide=starve, sandbox=nobody).triage_waiting("routine")
    assert referral(sessions, good).pattern != "triage_failed"


def test_a_failed_form_of_the_priority_lane_is_urgent(sessions, intake, misbehaving):
    bad = intake(symptoms={**RED, "pain_score": RAISES})
    misbehaving.triage_waiting("priority")
    failed = referral(sessions, bad)
    assert (failed.queue, failed.priority, failed.pattern) == ("urgent", 1, "triage_failed")


def test_after_an_attempt_that_did_not_finish_every_form_is_decided_alone(sessions, intake, misbehaving):
    """A worker died over a batch: the form that killed it goes to a human, the others where they belong."""
    killer = intake(symptoms={"pain_score": KILLS}, attempts=1)
    others = [intake(symptoms={"pain_score": 5}, attempts=1) for _ in range(3)]

    misbehaving.triage_waiting("routine")

    assert referral(sessions, killer).pattern == "triage_failed"
    assert {referral(sessions, other).queue for other in others} == {"clinical_review"}
    assert {referral(sessions, other).pattern for other in others} == {"undifferentiated"}


def test_a_form_claimed_too_often_goes_to_a_human(sessions, intake, triager):
    worn = intake(attempts=MAX_ATTEMPTS)
    triager.triage_waiting("routine")
    assert referral(sessions, worn).pattern == "triage_failed"


def test_a_batch_is_bounded(intake, triager):
    limit = BATCHES["priority"].limit
    for _ in range(limit + 1):
        intake(symptoms=RED)
    assert [triager.triage_waiting("priority") for _ in range(2)] == [limit, 1]


def test_no_answer_reaches_the_log(intake, misbehaving, capfd):
    intake(symptoms={"pain_score": RAISES})
    misbehaving.triage_waiting("routine")
    logged = capfd.readouterr()
    assert "ValueError" in logged.out + logged.err
    assert "must not be repeated" not in logged.out + logged.err


@pytest.fixture
def own_logs(monkeypatch):
    """Leave the logs of the other tests as they are."""
    monkeypatch.setattr(logging.root, "handlers", [])
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("own_logs")
def test_the_log_follows_a_case_from_its_request(intake, triager, settings, capfd):
    configure_logs(settings)
    intake_id = intake(symptoms=RED, request_id="from-the-ward", traceparent="00-ab-cd-01")
    triager.triage_waiting("priority")
    (line,) = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "triage.stored" in line]
    assert line["intake_id"] == str(intake_id)
    assert (line["request_id"], line["traceparent"]) == ("from-the-ward", "00-ab-cd-01")
    assert (line["queue"], line["rules"][0]) == ("urgent", "XE1")


def test_a_task_whose_time_is_up_makes_no_form_a_suspect(sessions, intake, changed, capsys):
    """Celery raises in whatever line runs then: it is not the form's fault, which is triaged as any other later."""
    good = intake(symptoms={"pain_score": 5})

    def cut_off(_form, _protocol):
        raise SoftTimeLimitExceeded

    cut = changed(decide=cut_off, sandbox=Sandbox(("false",)))
    with pytest.raises(SoftTimeLimitExceeded):
        cut.triage_waiting("routine")
    assert "triage.sandboxed" not in capsys.readouterr().out
    (left,) = rows(sessions, Intake, id=good)
    assert (left.status, left.lease_until) == ("received", None)
    assert changed().triage_waiting("routine") == 1
    assert referral(sessions, good).pattern != "triage_failed"
