"""A `referrals up` for the tests of a module, with its home and its first keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.referrals import Up, up


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
