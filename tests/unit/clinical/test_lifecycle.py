"""Which action may follow which status, by listing every pair, and when an answer is due."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from shared.clinical.referral.lifecycle import (
    OPEN_STATUSES,
    PRIORITIES,
    STATUSES,
    TRANSITIONS,
    TransitionRefused,
    acknowledge_by,
    after,
    escalations,
    first_rung_after,
)
from shared.protocols import active

PAIRS = [
    ("acknowledge", "queued", "acknowledged"),
    ("acknowledge", "acknowledged", None),
    ("acknowledge", "completed", None),
    ("acknowledge", "returned", None),
    ("acknowledge", "superseded", None),
    ("complete", "queued", None),
    ("complete", "acknowledged", "completed"),
    ("complete", "completed", None),
    ("complete", "returned", None),
    ("complete", "superseded", None),
    ("reroute", "queued", "queued"),
    ("reroute", "acknowledged", "queued"),
    ("reroute", "completed", None),
    ("reroute", "returned", None),
    ("reroute", "superseded", None),
    ("return", "queued", "returned"),
    ("return", "acknowledged", "returned"),
    ("return", "completed", None),
    ("return", "returned", None),
    ("return", "superseded", None),
    ("release", "queued", None),
    ("release", "acknowledged", "queued"),
    ("release", "completed", None),
    ("release", "returned", None),
    ("release", "superseded", None),
    ("take-over", "queued", None),
    ("take-over", "acknowledged", "acknowledged"),
    ("take-over", "completed", None),
    ("take-over", "returned", None),
    ("take-over", "superseded", None),
    ("answer", "queued", "superseded"),
    ("answer", "acknowledged", "superseded"),
    ("answer", "completed", None),
    ("answer", "returned", None),
    ("answer", "superseded", None),
    ("confirm-downgrade", "queued", "queued"),
    ("confirm-downgrade", "acknowledged", "queued"),
    ("confirm-downgrade", "completed", None),
    ("confirm-downgrade", "returned", None),
    ("confirm-downgrade", "superseded", None),
    ("contacted", "queued", "queued"),
    ("contacted", "acknowledged", "acknowledged"),
    ("contacted", "completed", None),
    ("contacted", "returned", None),
    ("contacted", "superseded", None),
]


@pytest.mark.parametrize(("action", "status", "leads_to"), PAIRS)
def test_a_transition(action, status, leads_to):
    if leads_to:
        assert after(action, status) == leads_to
    else:
        with pytest.raises(TransitionRefused, match=status) as refused:
            after(action, status)
        assert (refused.value.action, refused.value.status) == (action, status)


def test_every_pair_is_listed():
    assert {(action, status) for action, status, _ in PAIRS} == {
        (action, status) for action in TRANSITIONS for status in STATUSES
    }


def test_nothing_leaves_an_end_state():
    assert {status for starts in TRANSITIONS.values() for status in starts} == set(OPEN_STATUSES)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 2026-11-20 is a Friday
DUE = [
    ("emergency", "2026-11-21T10:00", "2026-11-21T10:10", "a Saturday is a day like any other"),
    ("urgent", "2026-11-22T23:30", "2026-11-23T00:30", "over midnight"),
    ("prompt", "2026-11-18T15:00", "2026-11-19T15:00", "Wednesday to Thursday"),
    ("prompt", "2026-11-20T15:00", "2026-11-23T15:00", "Friday to Monday"),
    ("prompt", "2026-11-21T15:00", "2026-11-24T00:00", "on a Saturday the clock starts on Monday"),
    ("prompt", "2026-11-20T00:00", "2026-11-21T00:00", "a whole Friday"),
    ("prompt", "2026-12-24T12:00", "2026-12-28T12:00", "Christmas is a Friday"),
    ("prompt", "2026-12-31T12:00", "2027-01-04T12:00", "New Year is a Friday"),
    ("routine", "2026-11-18T15:00", "2026-11-25T15:00", "five working days"),
    ("routine", "2026-12-21T09:00", "2026-12-29T09:00", "a holiday and a weekend"),
]
HOLIDAYS = frozenset({date(2026, 12, 25), date(2027, 1, 1)})


@pytest.mark.parametrize(("priority", "received", "due", "why"), DUE, ids=[row[3] for row in DUE])
def test_when_somebody_has_to_have_acknowledged(priority, received, due, why):
    assert acknowledge_by(priority, at(received), active().targets, holidays=HOLIDAYS) == at(due), why


def test_days_are_those_of_utc():
    received = datetime(2026, 11, 21, 1, 0, tzinfo=timezone(timedelta(hours=2)))  # Friday 23:00 in UTC
    assert acknowledge_by("prompt", received, active().targets) == at("2026-11-23T23:00")


def test_the_ladder_of_an_emergency():
    rungs = escalations("emergency", at("2026-11-21T10:00"), active().targets)
    assert [(rung.level, rung.due, rung.action) for rung in rungs] == [
        (1, at("2026-11-21T10:10"), "second_on_call"),
        (2, at("2026-11-21T10:20"), "duty_consultant_and_referrer"),
        (3, at("2026-11-21T10:30"), "call_patient_emergency_number_or_nearest_ed"),
    ]


@pytest.mark.parametrize(("priority", "minutes"), [("urgent", [60, 90, 120]), ("prompt", []), ("routine", [])])
def test_the_ladder_of_the_others(priority, minutes):
    start = at("2026-11-21T10:00")
    rungs = escalations(priority, start, active().targets)
    assert [(rung.due - start).total_seconds() / 60 for rung in rungs] == minutes


@pytest.mark.parametrize(("priority", "minutes"), [("emergency", 10), ("urgent", 60), ("prompt", None)])
def test_how_long_until_the_first_rung(priority, minutes):
    assert first_rung_after(priority, active().targets) == (minutes and timedelta(minutes=minutes))


def test_priorities_map_to_fhir_without_its_trap():
    classes = active().targets.classes
    assert [classes[priority].fhir_priority for priority in PRIORITIES] == ["stat", "asap", "urgent", "routine"]
