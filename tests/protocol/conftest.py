"""The generated forms, made and read once for all comparisons of this folder."""

from datetime import date
from pathlib import Path

import pytest

from .bodies import Body
from .decisions import Result, reading
from .generate import forms

Read = tuple[Body, date, Result]

SEED = 20260
COUNT = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share the generated forms in one process, and give all the time that others leave them.

    They only compute, by half a minute of processor time at most, and give way to every test that looks at the clock.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:  # the hook sees every test of the run
            item.add_marker(pytest.mark.timeout(600))
        if "generated" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("generated"))


@pytest.fixture(scope="session")
def generated() -> list[Read]:
    """20,000 forms, each with its day and with what the second reading says of it."""
    return [(body, today, reading(body, today)) for body, today in forms(COUNT, SEED)]
