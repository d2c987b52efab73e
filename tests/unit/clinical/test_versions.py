"""Which version of a form stays open, where, and since when: by example, and by every order in which forms may come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES, acknowledge_by
from shared.clinical.referral.versions import Version, escalate_at, settle
from shared.protocols import active

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
TARGETS = active().targets


def version(number, queue, priority, **columns):
    """Return the referral of the form that was received `number` minutes after the start, as triage leaves it."""
    received_at = START + timedelta(minutes=number)
    return Version(
        referral_id=UUID(int=1000 + number),
        intake_id=UUID(int=number),
        received_at=received_at,
        queue=queue,
        priority=priority,
        **{
            "status": "queued",
            "acknowledge_by": acknowledge_by(priority, received_at, TARGETS),
            "clock_started_at": received_at,
            **columns,
        },
    )


def arrive(chain, new):
    """Return the chain after `new` has joined it."""
    joined = {each.referral_id: each for each in (*chain, new)}
    settled = settle(list(joined.values()), TARGETS)
    if settled:
        joined[settled.survivor.referral_id] = settled.survivor
        for each in settled.superseded:
            ended = replace(each, status="superseded", superseded_by=settled.survivor.referral_id)
            joined[each.referral_id] = ended
    return list(joined.values())


def open_one(chain):
    (survivor,) = (each for each in chain if each.is_open)
    return survivor


def after(*versions):
    chain = []
    for each in versions:
        chain = arrive(chain, each)
    return open_one(chain)


URGENT = version(0, "urgent", "emergency")


def test_one_version_has_nothing_to_settle():
    assert settle([URGENT], TARGETS) is None
    assert settle([replace(URGENT, status="completed"), version(1, "neurology", "routine")], TARGETS) is None


def test_the_newest_survives_with_what_its_own_form_says_where_that_is_more_urgent():
    newer = version(9, "urgent", "emergency")
    assert after(version(0, "neurology", "routine"), newer) == newer


def test_a_lower_one_keeps_place_and_clock_of_the_earlier():
    kept = after(URGENT, version(9, "neurology", "routine"))
    assert (kept.intake_id, kept.queue, kept.priority) == (UUID(int=9), "urgent", "emergency")
    assert kept.downgrade_proposed
    assert (kept.acknowledge_by, kept.clock_started_at) == (URGENT.acknowledge_by, URGENT.clock_started_at)


def test_of_equals_the_newer_form_names_the_queue_and_the_older_clock_runs_on():
    older, newer = version(0, "neurology", "prompt"), version(9, "orthopedics", "prompt")
    kept = after(older, newer)
    assert (kept.queue, kept.downgrade_proposed) == ("orthopedics", False)
    assert kept.acknowledge_by == older.acknowledge_by < newer.acknowledge_by


def test_rungs_that_were_climbed_stay_climbed():
    climbed = replace(URGENT, escalation_level=2)
    kept = after(climbed, version(9, "neurology", "routine"))
    assert kept.escalation_level == 2
    assert escalate_at(kept, TARGETS) == START + timedelta(minutes=30)
    assert after(climbed, version(9, "urgent", "emergency")).escalation_level == 2


def test_rungs_of_a_lower_ladder_do_not_count():
    climbed = replace(version(0, "urgent", "urgent"), escalation_level=3)
    kept = after(climbed, version(9, "urgent", "emergency"))
    assert (kept.escalation_level, kept.clock_started_at) == (0, START + timedelta(minutes=9))
    late = after(version(9, "urgent", "urgent", escalation_level=3), URGENT)
    assert (late.priority, late.escalation_level, late.clock_started_at) == ("emergency", 0, START)


def test_what_was_acknowledged_is_queued_again_with_its_own_ladder_and_the_earlier_time():
    kept = after(replace(URGENT, status="acknowledged", escalation_level=1), version(9, "neurology", "routine"))
    assert (kept.status, kept.priority, kept.escalation_level) == ("queued", "emergency", 0)
    assert kept.acknowledge_by == URGENT.acknowledge_by
    assert kept.clock_started_at == START + timedelta(minutes=9)


HOUR = timedelta(hours=1)
DONE = {"contacted_by": "Dr A. Okafor", "contacted_at": START, "contacted_outcome": "reached"}
BEFORE = replace(URGENT, contact_by=START, imaging_due={"mri": START + 4 * HOUR, "ct": None, "gone": START})


@pytest.mark.parametrize("newer", [None, START + HOUR])
def test_a_lower_one_keeps_the_earlier_time_of_the_contact_and_of_each_study(newer):
    due = {"mri": START + 24 * HOUR, "ct": START + HOUR, "xr": None}
    kept = after(BEFORE, version(9, "neurology", "prompt", contact_by=newer, imaging_due=due))
    assert kept.contact_by == START
    assert kept.imaging_due == {"mri": START + 4 * HOUR, "ct": START + HOUR, "xr": None}


def test_a_lower_one_keeps_its_own_times_where_they_are_the_earlier_ones():
    early, due = START - HOUR, {"mri": START - HOUR}
    kept = after(BEFORE, version(9, "neurology", "prompt", contact_by=early, imaging_due=due))
    assert (kept.contact_by, kept.imaging_due) == (early, due)


def test_one_that_is_no_lower_has_its_own_times():
    newer = version(9, "urgent", "emergency", contact_by=START + HOUR, imaging_due={"mri": START + 24 * HOUR})
    survivor = after(replace(BEFORE, **DONE), newer)
    assert (survivor.contact_by, survivor.imaging_due) == (newer.contact_by, newer.imaging_due)
    assert survivor.contacted_at is None


def test_with_the_time_of_the_contact_goes_what_came_of_it():
    lower = version(9, "neurology", "prompt", contact_by=START + HOUR)
    kept = after(replace(BEFORE, contact_overdue_at=START + HOUR, **DONE), lower)
    assert (kept.contacted_by, kept.contacted_outcome, kept.contacted_at) == ("Dr A. Okafor", "reached", START)
    assert kept.contact_overdue_at == START + HOUR
    early = replace(lower, contact_by=START - HOUR)
    assert after(replace(BEFORE, contact_overdue_at=START), early).contact_overdue_at is None


def test_working_days_leave_out_holidays():
    held = replace(version(0, "orthopedics", "prompt"), status="acknowledged")
    settled = settle([held, version(9, "neurology", "routine")], TARGETS, {(START + timedelta(days=1)).date()})
    assert settled.survivor.acknowledge_by == held.acknowledge_by
    late = replace(held, acknowledge_by=START + timedelta(days=9))
    settled = settle([late, version(9, "neurology", "routine")], TARGETS, {(START + timedelta(days=1)).date()})
    assert settled.survivor.acknowledge_by == START + timedelta(days=2, minutes=9)


@pytest.mark.parametrize("ended", ["completed", "returned"])
def test_what_a_person_closed_sets_no_floor_nor_does_what_it_superseded(ended):
    chain = arrive(arrive([], URGENT), version(5, "neurology", "routine"))
    chain = [replace(each, status=ended) if each.is_open else each for each in chain]
    newer = version(9, "neurology", "routine")
    assert open_one(arrive(chain, newer)) == newer


def test_a_row_that_makes_no_sense_ends_in_an_answer():
    circular = replace(URGENT, status="superseded", superseded_by=URGENT.referral_id)
    newer = version(9, "neurology", "routine")
    assert settle([circular, version(5, "neurology", "routine"), newer], TARGETS).survivor.priority == "routine"


def test_an_older_form_that_comes_late_raises_the_newer():
    kept = after(version(9, "neurology", "routine"), URGENT)
    assert (kept.intake_id, kept.queue, kept.priority) == (UUID(int=9), "urgent", "emergency")
    assert (kept.downgrade_proposed, kept.status, kept.acknowledge_by) == (True, "queued", URGENT.acknowledge_by)


def test_whoever_holds_the_newer_keeps_it_unless_it_is_raised():
    held = version(9, "orthopedics", "prompt", status="acknowledged")
    assert after(held, version(0, "neurology", "prompt")) == held
    assert after(held, URGENT).status == "queued"


PLACES = [("urgent", "emergency"), ("urgent", "urgent")] + [
    (queue, priority) for queue in QUEUES[1:] for priority in ("prompt", "routine")
]
chains = st.lists(st.sampled_from(PLACES), min_size=2, max_size=5).map(
    lambda places: [version(number, *place) for number, place in enumerate(places)]
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.data())
def test_no_order_of_arrival_changes_where_the_case_stands(data):
    forms = data.draw(chains)
    shuffled = data.draw(st.permutations(forms))
    assert after(*shuffled) == after(*forms)


def acknowledge(referral):
    return replace(referral, status="acknowledged")


def complete(referral):
    return replace(referral, status="completed")


def reroute(referral):
    return replace(referral, queue="clinical_review", status="queued", downgrade_proposed=False)


def climb(referral):
    return replace(referral, escalation_level=referral.escalation_level + 1)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.data())
def test_whatever_people_do_meanwhile_no_open_referral_makes_way_for_a_lower_one(data):
    chain = []
    for new in data.draw(chains.flatmap(st.permutations)):
        settled = settle([*chain, new], TARGETS)
        if settled:
            ranks = [PRIORITIES.index(each.priority) for each in (*settled.superseded, new)]
            assert settled.survivor.rank <= min(ranks)
        chain = arrive(chain, new)
        assert sum(each.is_open for each in chain) == 1
        assert settle(chain, TARGETS) is None
        act = data.draw(st.sampled_from([None, acknowledge, complete, reroute, climb]))
        if act:
            chain = [act(each) if each.is_open else each for each in chain]
