"""Versions of a form are settled whoever is finished first, also at the same time, and however often."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from shared.platform.task_queues import LANES
from shared.protocols import active
from shared.store.escalation import climb
from shared.store.triage_queue import lease_batch, renew_lease
from shared.store.versions import Versions
from shared.tables import Event, Intake, Referral

VERSIONS = Versions(active().targets)
CHAINS = 50
SECONDS = 9  # a transaction that is idle for longer is ended


@pytest.fixture
def chain(intake):
    """Return a function that stores a form of the priority lane and routine versions of it; the oldest first."""

    def store(versions=1):
        first = intake(lane="priority", waited=timedelta(minutes=versions))
        made = [first]
        for number in range(versions):
            waited = timedelta(minutes=versions - 1 - number)
            made.append(intake(lane="routine", waited=waited, amends=made[-1], first_version=first))
        return made

    return store


@pytest.fixture
def outcomes(sessions, triager):
    """Return a function that claims everything; triage of each form fails, so its lane says where it goes."""

    def claim_all():
        with sessions.begin() as session:
            claimed = [one for lane in LANES for one in lease_batch(session, lane, limit=999, lease=timedelta(hours=1))]
        return {one.id: triager._outcome(one, None) for one in claimed}  # noqa: SLF001 - what workers come to

    return claim_all


def stand(sessions):
    with sessions() as session:
        return {each.intake_id: each for each in session.scalars(select(Referral))}


def event_types(sessions, intake_id):
    with sessions() as session:
        return list(session.scalars(select(Event.type).where(Event.intake_id == intake_id).order_by(Event.id)))


def assert_settled(sessions, chains):
    referrals = stand(sessions)
    for *older, newest in chains:
        survivor = referrals[newest]
        assert (survivor.status, survivor.queue, survivor.priority) == ("queued", "urgent", 1)
        assert survivor.downgrade_proposed
        assert survivor.clock_started_at == referrals[older[0]].clock_started_at
        assert survivor.escalate_at == survivor.clock_started_at + timedelta(minutes=60)
        for each in older:
            assert referrals[each].status == "superseded"
            assert event_types(sessions, each).count("referral.superseded") == 1
        assert event_types(sessions, newest).count("referral.queued") == 1


def wait_until_somebody_waits(sessions):
    """Wait until a connection waits for another's lock."""
    with sessions() as session:
        for _ in range(SECONDS * 100):
            if session.scalar(text("select 1 from pg_locks where not granted limit 1")):
                return
            session.execute(text("select pg_sleep(0.01)"))
    raise AssertionError("nobody waits")


def test_the_first_form_that_finishes_while_its_version_does_waits_and_sees_it(sessions, chain, outcomes):
    first, second = chain()
    made = outcomes()

    def finish_first():
        with sessions.begin() as other:
            VERSIONS.finish_forms(other, [made[first]])

    with sessions.begin() as session:
        VERSIONS.finish_version(session, made[second])
        thread = threading.Thread(target=finish_first)
        thread.start()
        wait_until_somebody_waits(sessions)
    thread.join(SECONDS)
    assert_settled(sessions, [[first, second]])
    assert event_types(sessions, second) == ["referral.queued", "referral.rerouted"]


def test_a_version_that_finishes_while_the_first_form_does_waits_and_sees_it(sessions, chain, outcomes):
    first, second = chain()
    made = outcomes()

    def finish_second():
        with sessions.begin() as other:
            VERSIONS.finish_version(other, made[second])

    with sessions.begin() as session:
        VERSIONS.finish_forms(session, [made[first]])
        thread = threading.Thread(target=finish_second)
        thread.start()
        wait_until_somebody_waits(sessions)
    thread.join(SECONDS)
    assert_settled(sessions, [[first, second]])
    assert event_types(sessions, second) == ["referral.queued"]


def test_many_chains_are_settled_by_many_at_once_each_twice(sessions, chain, outcomes):
    chains = [chain(versions=2) for _ in range(CHAINS)]
    made = outcomes()

    def finish_forms(batch):
        with sessions.begin() as session:
            VERSIONS.finish_forms(session, batch)

    def finish_version(outcome):
        with sessions.begin() as session:
            VERSIONS.finish_version(session, outcome)

    firsts = [made[first] for first, *_ in chains]
    jobs = [(finish_forms, firsts[start : start + 10]) for start in range(0, CHAINS, 10)]
    jobs += [(finish_version, made[version]) for _, *versions in chains for version in reversed(versions)]
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(*job) for pair in zip(jobs, reversed(jobs), strict=True) for job in pair]
        for each in done:
            each.result()
    assert_settled(sessions, chains)


def test_finishing_a_version_twice_is_finishing_it_once(sessions, chain, outcomes):
    first, second = chain()
    made = outcomes()
    for _ in range(2):
        with sessions.begin() as session:
            VERSIONS.finish_forms(session, [made[first]])
        with sessions.begin() as session:
            VERSIONS.finish_version(session, made[second])
    assert_settled(sessions, [[first, second]])
    referrals = stand(sessions)
    assert (len(referrals), referrals[first].version, referrals[second].version) == (2, 2, 1)
    assert event_types(sessions, second) == ["referral.queued"]


def test_whoever_amends_a_form_never_waits_for_the_settling_of_its_versions(sessions, chain, outcomes, intake):
    first, second = chain()
    made = outcomes()
    with sessions.begin() as session:
        VERSIONS.finish_version(session, made[second])
        third = intake(lane="routine", amends=second, first_version=first)
    with sessions() as session:
        assert session.get(Intake, third)


def test_a_claim_is_not_renewed_while_another_finishes_the_form(sessions, chain, outcomes):
    """It would wait while it holds other forms: two that wait for each other."""
    first, second = chain()
    made = outcomes()
    with sessions.begin() as session:
        VERSIONS.finish_version(session, made[second])
        with sessions.begin() as other:
            renew_lease(other, [made[first].intake, made[second].intake], lease=timedelta(hours=9))
    with sessions() as session:
        leases = session.scalars(select(Intake.lease_until).where(Intake.id.in_([first, second]))).all()
    assert sum(lease is not None for lease in leases) == 1


def test_a_batch_with_both_is_settled_by_triage_itself(sessions, triager, intake):
    first = intake(symptoms={"bladder_change": "new_or_worse"}, waited=timedelta(minutes=1))
    second = intake(lane="priority", amends=first, first_version=first)
    assert triager.triage_waiting("priority") == 2
    referrals = stand(sessions)
    assert (referrals[first].status, referrals[first].superseded_by) == ("superseded", referrals[second].id)
    assert (referrals[second].queue, referrals[second].priority) == ("urgent", 0)


def test_a_version_whose_attempt_did_not_finish_is_settled_too(sessions, triager, intake):
    first = intake(symptoms={"bladder_change": "new_or_worse"}, waited=timedelta(minutes=1), attempts=1)
    second = intake(lane="priority", amends=first, first_version=first, attempts=1)
    triager.triage_waiting("priority")
    referrals = stand(sessions)
    assert referrals[first].superseded_by == referrals[second].id


def test_the_ladder_goes_on_where_it_stood(sessions, triager, intake):
    """An emergency of 25 minutes ago has climbed two rungs when a calmer version of its form comes."""
    first = intake(symptoms={"bladder_change": "new_or_worse"}, waited=timedelta(minutes=25))
    triager.triage_waiting("priority")
    climbed = []
    for _ in range(3):
        with sessions.begin() as session:
            climbed.append([rung.level for rung in climb(session, active().targets, limit=9)[0]])
    assert climbed == [[1], [2], []]
    second = intake(amends=first, first_version=first)
    triager.triage_waiting("routine")
    with sessions.begin() as session:
        assert climb(session, active().targets, limit=9) == ([], [])
    referrals = stand(sessions)
    assert (referrals[second].priority, referrals[second].escalation_level) == (0, 2)
    assert referrals[second].escalate_at == referrals[first].clock_started_at + timedelta(minutes=30)
