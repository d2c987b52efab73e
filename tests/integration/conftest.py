"""A `referrals up` for the tests of a module, with its home and its first keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.referrals import Up, up

# The files that take longest: they begin first, or one of them would run on alone at the end.
LONGEST = (
    *("test_up_rights", "test_up", "test_backup", "test_up_first_start", "test_up_operations", "test_up_kills"),
    *("test_delivery", "test_up_accounts", "test_release_before_up", "test_canary_home", "test_up_escalation"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, in this order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "home"


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Up]:
    with up(home) as started:
        yield started


@pytest.fixture(scope="module")
def keys(running: Up) -> dict[str, str]:
    return running.keys()
