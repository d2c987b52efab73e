"""Time targets as moments: minutes of the clock run through weekends, only working days skip them."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.clinical.referral.targets import contact_by, earlier, imaging_due, kept_due, raised
from shared.protocols import active
from tests.unit.clinical.calm import decide

FRIDAY = datetime(2026, 11, 27, 18, tzinfo=UTC)
TARGETS = active().targets


def test_a_sudden_unexplained_inability_on_friday_evening_is_contacted_by_saturday_evening():
    decision = decide(onset="sudden", mechanism="none").record()
    assert contact_by(decision, FRIDAY) == datetime(2026, 11, 28, 18, tzinfo=UTC)


@pytest.mark.parametrize("decision", [None, {"queue": "neurology"}, {"contact_minutes": None}])
def test_without_minutes_there_is_no_time_for_contact(decision):
    assert contact_by(decision, FRIDAY) is None


@pytest.mark.parametrize(
    ("within", "minutes"), [("immediate", 60), ("4h", 240), ("2w", 20160), ("specialist", None), ("routine", None)]
)
def test_imaging_is_due_by_the_clock(within, minutes):
    assert TARGETS.due_by(within, FRIDAY) == (None if minutes is None else FRIDAY + timedelta(minutes=minutes))


def test_each_study_of_a_decision_has_its_time_and_keeps_an_earlier_one():
    due = imaging_due(decide(bladder_change="new_or_worse", mri_safety="unsafe").record(), FRIDAY, TARGETS)
    assert due == {"ct_lumbar_spine_wo": FRIDAY + timedelta(hours=4), "ct_lumbar_myelogram": None}
    before = {"ct_lumbar_myelogram": FRIDAY, "ct_lumbar_spine_wo": FRIDAY + timedelta(hours=5), "xr_knee": FRIDAY}
    assert kept_due(due, before) == {**due, "ct_lumbar_myelogram": FRIDAY}
    assert imaging_due(None, FRIDAY, TARGETS) == {}


def test_raising_by_a_person_never_makes_it_later():
    hour = timedelta(hours=1)
    assert raised(None, "urgent", FRIDAY, TARGETS) == FRIDAY + 4 * hour
    assert raised(FRIDAY + hour, "urgent", FRIDAY, TARGETS) == FRIDAY + hour
    assert raised(FRIDAY + hour, "emergency", FRIDAY, TARGETS) == FRIDAY + timedelta(minutes=10)
    assert earlier(None, None) is None
