"""Worklists of the console: what waits comes before what is in hand, on the board, the wall and pages of a queue."""

import re

import pytest

from services.api.console.pages import board, queue
from tests.api.console_person import AtConsole


@pytest.fixture
def person(app, caller):
    return AtConsole(app, caller("operator").key)


@pytest.fixture
def five(referral, operator):
    """References of an urgent queue: those of two cases in hand, the oldest, and of three that wait."""
    cases = [referral("urgent", mrn=f"MRN-{number}") for number in range(5)]
    for case in cases[:2]:
        operator.post(f"/v1/referrals/{case['id']}/acknowledge", {"by": "Nurse M. Haile"})
    references = [case["reference"] for case in cases]
    return references[2:], references[:2]


def listed(page):
    return re.findall(r'data-case="([^"]+)"', page)


@pytest.mark.parametrize("path", ["/console", "/console?view=wall", "/console/queues/urgent"])
def test_the_first_row_is_the_next_thing_to_do(path, person, five):
    waiting, in_hand = five
    assert listed(person.get(path).text) == [*waiting, *in_hand]


def test_a_full_board_shows_what_waits_and_counts_the_rest(person, five, monkeypatch):
    monkeypatch.setattr(board, "ROWS", 3)
    page = person.get("/console").text
    assert listed(page) == five[0]
    assert "and 2 more" in page


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_pages_of_a_queue_show_every_case_once_in_that_order(rows, person, five, monkeypatch):
    monkeypatch.setattr(queue, "ROWS", rows)
    monkeypatch.setattr(queue, "READ", 2)
    waiting, in_hand = five
    address, seen = "/console/queues/urgent?status=open", []
    while address:
        page = person.get(address).text
        seen += listed(page)
        following = re.search(r'href="([^"]+)">Next page', page)
        address = following[1].replace("&amp;", "&") if following else None
    assert seen == [*waiting, *in_hand]


def test_a_part_that_is_none_is_not_found(person):
    assert person.get("/console/queues/urgent?part=2").status_code == 404
    assert person.get("/console/queues/urgent?status=all&part=1").status_code == 404
