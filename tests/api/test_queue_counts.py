"""How the queues stand is kept as a sum of changes; it is what a count of the referrals would say, whatever happens."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, insert, select, text, update

from shared.clinical.referral.lifecycle import OPEN_STATUSES
from shared.store.access.scope import Scope
from shared.store.queues import MAX_CHANGES, states, sum_up
from shared.tables import QueueChange, Referral
from tests.api.conftest import FACILITY

BY = {"by": "Dr A. Okafor"}
QUEUES = ("urgent", "neurology", "orthopedics", "clinical_review")


def counted(sessions, facility):
    """Count the referrals themselves."""
    statement = select(Referral.queue, Referral.priority, Referral.status, Referral.acknowledge_by < func.now())
    statement = statement.where(Referral.status.in_(OPEN_STATUSES))
    if facility:
        statement = statement.where(Referral.facility == facility)
    with sessions() as session:
        rows = session.execute(statement).all()
    return {
        queue: (
            sum(row.queue == queue for row in rows),
            sum(row.queue == queue and row.status == "queued" for row in rows),
            sum(row.queue == queue and row.status == "queued" and row[3] for row in rows),
            {place: n for place in range(4) if (n := sum(row[:2] == (queue, place) for row in rows))},
        )
        for queue in {row.queue for row in rows}
    }


def reported(sessions, facility):
    with sessions() as session:
        found = states(session, Scope.of_facility(facility))
    return {
        queue: (state.open, state.unacknowledged, state.overdue, dict(state.by_priority))
        for queue, state in found.items()
    }


def agreed(sessions):
    for facility in (None, FACILITY, "elsewhere", "nowhere"):
        assert reported(sessions, facility) == counted(sessions, facility)
    return reported(sessions, None)


@pytest.fixture
def worked(referral, operator, caller):
    """Referrals in every queue, of two facilities, some of them worked."""
    elsewhere = caller("submitter", facility="elsewhere")
    referrals = [referral(queue, sender=elsewhere, mrn="MRN-2") for queue in QUEUES]
    referrals += [referral(queue, mrn=f"MRN-{number}") for number, queue in enumerate(QUEUES, 3)]
    for each in referrals[::2]:
        operator.post(f"{each['links']['self']}/acknowledge", BY)
    operator.post(f"{referrals[0]['links']['self']}/complete", BY | {"outcome": "seen"})
    return referrals


def test_they_agree_with_a_count(sessions, worked):
    assert sum(state[0] for state in agreed(sessions).values()) == len(worked) - 1


def test_they_agree_where_much_is_overdue_or_moved_at_once(sessions, worked):  # noqa: ARG001 - referrals to change
    with sessions.begin() as session:
        session.execute(update(Referral).values(acknowledge_by=func.now() - text("interval '1 day'")))
    agreed(sessions)
    with sessions.begin() as session:
        session.execute(update(Referral).where(Referral.queue == "neurology").values(queue="orthopedics", priority=2))
    assert "neurology" not in agreed(sessions)


def test_what_was_undone_is_not_counted(sessions, worked):  # noqa: ARG001 - referrals to change
    before = agreed(sessions)
    with sessions() as session:
        session.execute(update(Referral).values(priority=1))
        session.rollback()
    assert agreed(sessions) == before


def test_summing_up_changes_nothing_that_is_told(sessions, worked):  # noqa: ARG001 - referrals to count
    with sessions.begin() as session:  # neither more nor fewer, but more than are left lying about
        rows = {"facility": FACILITY, "queue": "urgent", "priority": 0, "status": "queued"}
        session.execute(insert(QueueChange), [rows | {"change": change} for change in (1, -1)] * MAX_CHANGES)
    before = agreed(sessions)

    def once(_):
        with sessions.begin() as session:
            sum_up(session)

    with ThreadPoolExecutor(4) as watchmen:
        list(watchmen.map(once, range(8)))
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(QueueChange)) < 50
    assert agreed(sessions) == before
