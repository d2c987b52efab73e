"""Whatever is killed under `referrals up` comes back, and a killed `up` leaves nothing behind."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.program import all_gone, program
from tests.referrals import PROCESSES, RED_FLAG, REFERRALS, SERVERS, Up, children, request, up

BACK_SECONDS = 40


@pytest.fixture(scope="module")
def submitter(running: Up) -> str:
    return running.keys()["submitter"]


@pytest.mark.parametrize("name", [*PROCESSES, *SERVERS])
def test_a_killed_process_is_started_again_and_serves(running: Up, submitter: str, name: str) -> None:
    killed = running.processes()[name]
    belongings = set(children(killed))
    os.kill(killed, signal.SIGKILL)
    running.wait_for(rf"^{name} ended \(SIGKILL\); starting it again in", 5)
    running.wait_for(f"^{name} is back", BACK_SECONDS)
    assert all_gone({killed, *belongings}, 1)
    status, intake = request(f"{running.url}/v1/intakes", submitter, RED_FLAG)
    assert (status, intake.get("decision", {}).get("queue")) == (200, "urgent"), intake


@pytest.mark.parametrize("victim", ["subreaper", "supervisor"])
def test_a_killed_up_leaves_nothing_behind(tmp_path: Path, victim: str) -> None:
    with up(tmp_path / "home") as killed:
        family = killed.family()
        (supervisor,) = children(killed.process.pid)
        os.kill(killed.process.pid if victim == "subreaper" else supervisor, signal.SIGKILL)
        assert all_gone(family, 12)


def test_a_killed_up_whose_subreaper_is_killed_too_leaves_no_process_and_starts_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as first:
        family = first.family()
        left = Path(json.loads((home / "running.json").read_text())["folder"])
        for pid in (first.process.pid, *children(first.process.pid)):
            os.kill(pid, signal.SIGKILL)
        assert all_gone(family, 12)
    assert left.exists()
    with up(home) as second:
        assert not left.exists()
        assert sorted(second.processes()) == sorted([*PROCESSES, *SERVERS])


def test_a_database_that_cannot_start_stops_everything_with_its_reason(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as first:
        assert first.stop() == 0
    (home / "postgres" / "PG_VERSION").write_text("12\n")
    with program([REFERRALS, "up", "--home", home, "--port", "0"]) as second:
        assert second.wait() == 1
    said = "".join(second.said)
    assert "Error: postgres cannot start, it ended (exit code 1):" in said
    assert "database files are incompatible with server" in said
