"""The example cases of the specification come out as written, and keep the invariants of a single result."""

import pytest

from tests.cases import Case

from .bodies import TODAY
from .decisions import OF_STEP_14, Decide, reading, service
from .examples import cases
from .invariants import complaints


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
@pytest.mark.parametrize("decide", [reading, service])
def test_an_example_case_comes_out_as_written(decide: Decide, case: Case) -> None:
    result = decide(case.body())

    assert {name: result[name] for name in case.expected} == case.expected
    assert complaints(case.body(), TODAY, result) == []


def test_there_are_32_examples_of_all_fields() -> None:
    assert len({case.name for case in cases()}) == 32
    assert all(set(case.expected) == set(OF_STEP_14) for case in cases())
