"""Where a referral stands after answers: by every pair of places, never lower by itself, and no clock longer."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clinical.referral.answered import answered
from shared.clinical.referral.lifecycle import PRIORITIES
from shared.clinical.referral.targets import earlier
from tests.unit.clinical.test_versions import START, version

QUEUE_OF = {"emergency": "urgent", "urgent": "urgent", "prompt": "neurology", "routine": "orthopedics"}
MOMENTS = st.none() | st.integers(-600, 600).map(lambda minutes: START + timedelta(minutes=minutes))


@st.composite
def pairs(draw):
    """Return what the new form says, and the referral before with clocks as they may have come to stand."""
    old, new = (draw(st.sampled_from(PRIORITIES)) for _ in range(2))
    before = version(
        1,
        QUEUE_OF[old],
        old,
        status=draw(st.sampled_from(["queued", "acknowledged"])),
        escalation_level=draw(st.integers(0, 2)),
        contact_by=draw(MOMENTS),
        imaging_due={"mri": draw(MOMENTS)},
    )
    before = replace(before, acknowledge_by=before.acknowledge_by + timedelta(minutes=draw(st.integers(-5000, 0))))
    own = version(9, QUEUE_OF[new], new, contact_by=draw(MOMENTS), imaging_due={"mri": draw(MOMENTS)})
    return own, before


@given(pairs(), st.booleans())
def test_it_never_ranks_lower_and_no_clock_is_longer(pair, moved):
    own, before = pair
    after = answered(own, before, moved=moved)
    assert after.rank == min(own.rank, before.rank)
    assert after.downgrade_proposed == (own.rank > before.rank)
    assert after.acknowledge_by <= before.acknowledge_by
    assert after.contact_by == earlier(own.contact_by, before.contact_by)
    assert after.imaging_due["mri"] == earlier(own.imaging_due["mri"], before.imaging_due["mri"])
    rises = own.rank < before.rank
    assert after.status == ("queued" if rises else before.status)
    if not rises:
        clocks = [(each.acknowledge_by, each.clock_started_at, each.escalation_level) for each in (after, before)]
        assert clocks[0] == clocks[1]
    if own.rank > before.rank:
        assert after.queue == before.queue
    assert (after.referral_id, after.intake_id, after.received_at) == (own.referral_id, own.intake_id, own.received_at)


@pytest.mark.parametrize(("moved", "queue"), [(True, "neurology"), (False, "orthopedics")])
def test_of_the_same_rank_it_moves_only_if_its_form_does(moved, queue):
    own, before = version(9, "neurology", "prompt"), version(1, "orthopedics", "prompt")
    assert answered(own, before, moved=moved).queue == queue


def test_a_contact_that_was_made_counts_for_both():
    made = {"contacted_by": "Nurse", "contacted_at": START, "contacted_outcome": "reached"}
    after = answered(version(9, "urgent", "emergency"), version(1, "neurology", "prompt", **made), moved=True)
    assert {name: getattr(after, name) for name in made} == made
