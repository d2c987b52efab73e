"""The example cases of the specification come out as written, and keep the invariants of a single result."""

import pytest

from .bodies import TODAY
from .decisions import Decide, reading, service
from .examples import Example, examples
from .invariants import complaints


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
@pytest.mark.parametrize("decide", [reading, service])
def test_an_example_case_comes_out_as_written(decide: Decide, example: Example) -> None:
    result = decide(example.body)

    assert {name: result[name] for name in example.expected} == example.expected
    assert complaints(example.body, TODAY, result) == []


def test_there_are_twenty_examples() -> None:
    assert len({example.name for example in examples()}) == 20
