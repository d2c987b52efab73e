"""The wide run: what it makes of processor times and waits, and what it says of them."""

import io

import pytest

from bench.wide.processors import Use
from bench.wide.stack import Width
from bench.wide.take import Phase, Take
from bench.wide.verdict import explain, judge
from bench.wide.waits import Waits, read

NARROW, WIDE = Width(1, 1), Width(2, 4)


def take(
    width: Width,
    *,
    cost: float,
    idle: float = 0.1,
    waits: str = "running|9\nIO:WalSync|1\n",
    found: int = 300,
    others=0.0,
):
    """A take of ten seconds on two processors, in which an intake cost the API `cost` seconds."""
    api = [(cost * 100 + 1) / width.apis] * width.apis  # one second is what it uses at rest
    roles = {"api": api, "postgres": [2.0], "watchman": [0.1], "redis": [0.1]}
    containers = sum(sum(each) for each in roles.values())
    docker = 19.0 - idle - containers - others
    use = Use(10.0, roles, client=1.0, docker=docker, busy=20.0 - idle, idle=idle)
    resting = Use(5.0, {role: [0.5 / width.apis * (role == "api") for _ in each] for role, each in roles.items()})
    whole = Phase(50.0, 100, use=use, waits=Waits(10, read(io.StringIO(waits))), commits=400)
    return Take(resting, Phase(90.0, 100), Phase(80.0, 100), whole, posted=300, found=found)


def judged(wide: Take, start: str):
    [row] = [
        row
        for row in judge({NARROW: [take(NARROW, cost=0.05)], WIDE: [wide]})
        if row.figure.startswith(start) and (str(WIDE) in row.figure or start == "referrals")
    ]
    return row


def test_an_intake_costs_what_the_containers_use_beyond_their_rest():
    row = judged(take(WIDE, cost=0.06), "processor time")
    assert (row.baseline.median, row.ours.median) == pytest.approx((72, 82))
    assert row.met


def test_an_intake_that_costs_far_more_in_a_wide_stack_is_missed():
    assert judged(take(WIDE, cost=0.09), "processor time").met is False


@pytest.mark.parametrize(
    ("waits", "met"),
    [
        ("running|5\nLWLock:WALWrite|5\n", True),  # together for the disk
        ("running|5\nLock:advisory|5\n", False),
        ("running|5\nLWLock:BufferContent|5\n", False),
    ],
)
def test_who_waits_for_another_session_serialises(waits, met):
    assert judged(take(WIDE, cost=0.05, waits=waits), "database sessions").met is met


def test_a_referral_that_is_missing_is_missed():
    assert judged(take(WIDE, cost=0.05), "referrals").met
    assert judged(take(WIDE, cost=0.05, found=299), "referrals").met is False


def test_it_says_that_the_processors_are_full():
    said = explain({NARROW: [take(NARROW, cost=0.05)], WIDE: [take(WIDE, cost=0.05)]})
    assert "where the processors are full" in said
    assert "| api | 50.00 | 50.00 (25.00 + 25.00) |" in said


def test_it_does_not_call_a_machine_full_that_other_work_has_filled():
    said = explain({NARROW: [take(NARROW, cost=0.05)], WIDE: [take(WIDE, cost=0.05, others=9.0)]})
    assert "cannot say where it stops" in said
    assert "processors are full" not in said


def test_it_names_what_holds_it_back_while_processors_are_idle():
    idle = take(WIDE, cost=0.05, idle=8.0, waits="running|2\nLock:advisory|5\n")
    assert "the most frequent wait is Lock:advisory" in explain({NARROW: [take(NARROW, cost=0.05)], WIDE: [idle]})


def test_uses_add_up_container_by_container():
    both = Use(1.0, {"api": [1.0, 2.0]}, busy=1.0) + Use(2.0, {"api": [3.0, 4.0]}, busy=2.0)
    assert (both.seconds, both.roles, both.busy) == (3.0, {"api": [4.0, 6.0]}, 3.0)
