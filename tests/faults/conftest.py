"""One service for all faults that allow it, the pace they happen at, and the table at the end."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.driver.forms import CANARY
from tests.referrals import up

from .mailbox import mailboxes
from .pace import Pace
from .pace import pace as chosen_pace
from .service import Service
from .table import Row, table

ROWS = pytest.StashKey[list[Row]]()
TABLE = Path(os.environ.get("FAULTS_TABLE", "var/faults.md"))
SMALL_DISK = "size=48m,mode=0700"  # holds what the broker writes, and is full in no time


def pytest_configure(config: pytest.Config) -> None:
    """The rows of the table, shared by all tests."""
    config.stash[ROWS] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A fault that is stated to last ten minutes takes its time."""
    minutes = chosen_pace().minutes
    for item in items:
        if minutes and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600 + minutes * 60 * 4), append=False)  # before its own


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and write it."""
    if rows := config.stash[ROWS]:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        TABLE.write_text(table(rows) + "\n")
        terminalreporter.section("faults")
        terminalreporter.write_line(table(rows))


@pytest.fixture(scope="session")
def pace() -> Pace:
    return chosen_pace()


@pytest.fixture(scope="session")
def rows(pytestconfig: pytest.Config) -> list[Row]:
    return pytestconfig.stash[ROWS]


def identities(service: Service) -> list[str]:
    """Return whatever tells of a patient in the log, in the broker's files and in what departments' systems heard."""
    logged = [line for line in service.said() if CANARY in line]
    kept = [str(path) for path in (service.home / "valkey").rglob("*") if path.is_file() and tells(path.read_bytes())]
    boxes = (service.mailboxes.steady, service.mailboxes.neighbour) if service.mailboxes else ()
    return [*logged, *kept, *(each.webhook_id for box in boxes for each in box.received if tells(each.body))]


def tells(content: bytes) -> bool:
    return CANARY.encode() in content


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The whole service as `referrals up` runs it, with the broker's file on a small disk of its own."""
    home = tmp_path_factory.mktemp("faults") / "home"
    disk = home / "valkey"
    disk.mkdir(parents=True, mode=0o700)
    assert os.geteuid() == 0, "these tests fill a disk of their own, and only root may mount one"
    subprocess.run(["mount", "-t", "tmpfs", "-o", SMALL_DISK, "psoas-faults", disk], check=True)
    try:
        with up(home, env=os.environ | {"LOG_LEVEL": "INFO"}) as running:  # with every line that it may ever log
            environment = json.loads((home / "running.json").read_text())["environment"]
            with closing(Service(running, home, environment)) as made, mailboxes(made) as made.mailboxes:
                yield made
        assert identities(made) == []
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
