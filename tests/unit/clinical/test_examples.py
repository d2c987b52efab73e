"""The worked examples of the specification, as a hospital would send them."""

import pytest

from shared.clinical.form import Form, read
from shared.clinical.triage import screen, triage
from shared.protocols import ACTIVE, active, cases
from tests.unit.clinical.calm import TODAY

CASES = cases(ACTIVE)


def read_case(case):
    born = f"{TODAY.year - case['age_years']}-01-01"
    body = {**case["form"], "patient": {**case["form"]["patient"], "birth_date": born}}
    return read(body, active(), today=TODAY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_it_is_decided_as_expected(case):
    decided = triage(read_case(case), active()).record()
    decided["imaging"] = [{"study": each["study"], "within": each["within"]} for each in decided["imaging"]]
    assert {name: decided[name] for name in case["expect"]} == case["expect"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_lane_follows_the_queue(case):
    form = read_case(case)
    assert screen(form, active()) == ("priority" if case["expect"]["queue"] == "urgent" else "routine")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_stored_form_is_decided_in_the_same_way(case):
    form = read_case(case)
    assert triage(Form.of(form.record()), active()) == triage(form, active())


def test_there_are_twenty():
    assert len({case["id"] for case in CASES}) == 20
