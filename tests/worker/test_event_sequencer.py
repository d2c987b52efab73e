"""The sequencer numbers what was committed, says loudly what is wrong, and tells the head of the chain."""

import pytest
import structlog
from sqlalchemy import func, select, text

from services.worker.watchman.event_sequencer import EventSequencer
from services.worker.watchman.watchman import Watchman
from shared.store.event_log.feed import NUMBERING, head
from shared.tables import Event

RED = {"bladder_change": "new_or_worse"}


@pytest.fixture
def sequencer(sessions):
    return EventSequencer(sessions)


@pytest.fixture
def triaged(intake, triager):
    intake(symptoms=RED)
    triager.triage_waiting("priority")


def unnumbered(sessions):
    with sessions() as session:
        return session.scalar(select(func.count()).where(Event.number.is_(None)))


@pytest.mark.usefixtures("triaged")
def test_it_numbers_what_was_committed(sessions, sequencer):
    assert unnumbered(sessions) == 1
    sequencer.number()
    sequencer.number()
    assert unnumbered(sessions) == 0


@pytest.mark.usefixtures("triaged")
def test_where_all_is_well_it_says_nothing(sequencer):
    with structlog.testing.capture_logs() as said:
        sequencer.audit()
    assert said == []


@pytest.mark.usefixtures("triaged")
def test_a_finding_is_an_error_with_its_count(sessions, sequencer):
    with sessions.begin() as session:
        session.execute(text("delete from decisions"))
    with structlog.testing.capture_logs() as said:
        sequencer.audit()
    assert said == [{"event": "audit.finding", "log_level": "error", "check": "decision_missing", "count": 1}]


@pytest.mark.usefixtures("triaged")
def test_the_head_goes_into_the_log(sessions, sequencer):
    sequencer.number()
    with structlog.testing.capture_logs() as said:
        sequencer.log_chain_head()
    with sessions() as session:
        last = head(session)
    assert said[0] == {"event": "audit.head", "log_level": "info", "number": 1, "digest": last.digest.hex()}


@pytest.mark.usefixtures("triaged")
def test_it_goes_on_after_others_held_the_lock(sessions, sequencer):
    """A process that is frozen while it gives numbers delays the numbers, and no more."""
    with sessions.begin() as frozen:
        frozen.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING})
        with structlog.testing.capture_logs() as said:
            sequencer.number()
        assert unnumbered(sessions) == 1
    assert said == [{"event": "events.numbering_failed", "log_level": "warning", "error": "LockNotAvailable"}]
    sequencer.number()
    assert unnumbered(sessions) == 0


def test_the_watchman_keeps_the_books(triager):
    assert {"numbers", "audit", "head"} <= {task.name for task in Watchman(triager).others()}
