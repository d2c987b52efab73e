"""The worked examples of the specification, as a hospital would send them."""

import pytest

from shared.clinical.form import Form, read
from shared.clinical.triage import screen, triage
from shared.protocols import ACTIVE, active, cases, load
from tests.unit.clinical.calm import TODAY

CASES = cases(ACTIVE)


def read_case(case):
    born = f"{TODAY.year - case['age_years']}-01-01"
    body = {**case["form"], "patient": {**case["form"]["patient"], "birth_date": born}}
    return read(body, active(), today=TODAY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_it_is_decided_as_expected(case):
    decided = triage(read_case(case), active()).record()
    wanted = ("study", "within", "instead_of")
    decided["imaging"] = [{name: each[name] for name in wanted} for each in decided["imaging"]]
    assert {name: decided[name] for name in case["expect"]} == case["expect"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_lane_follows_the_queue(case):
    form = read_case(case)
    assert screen(form, active()) == ("priority" if case["expect"]["queue"] == "urgent" else "routine")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_stored_form_is_decided_in_the_same_way(case):
    form = read_case(case)
    assert triage(Form.of(form.record()), active()) == triage(form, active())


OLD = ACTIVE.parent / "2026.1.0"


@pytest.mark.parametrize("case", cases(OLD), ids=lambda case: case["id"])
def test_the_version_before_decides_as_it_did(case):
    protocol = load(OLD)
    born = f"{TODAY.year - case['age_years']}-01-01"
    body = {**case["form"], "patient": {**case["form"]["patient"], "birth_date": born}}
    decided = triage(read(body, protocol, today=TODAY), protocol).record()
    decided["imaging"] = [{"study": each["study"], "within": each["within"]} for each in decided["imaging"]]
    assert {name: decided[name] for name in case["expect"]} == case["expect"]


@pytest.mark.parametrize("case", cases(OLD), ids=lambda case: case["id"])
def test_a_form_of_the_version_before_is_read_as_the_new_one(case):
    [renewed] = [each for each in CASES if each["id"] == case["id"]]
    assert triage(read_case(case), active()) == triage(read_case(renewed), active())


def test_there_are_thirty_two():
    assert len({case["id"] for case in CASES}) == 32
