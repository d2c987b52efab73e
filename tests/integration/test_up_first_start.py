"""A first start of `referrals up` that goes wrong, and what a newcomer reads: keys are shown, the log stays quiet."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from services.embedded.servers import postgres, valkey
from tests.program import program
from tests.referrals import PROCESSES, REFERRALS, ROLES, request, up

pytestmark = pytest.mark.timeout(300)  # each test starts the whole service two or three times

DEAD_BROKER = "redis://someone:secret@127.0.0.1:1/0"
ADDRESSES = ("DATABASE_URL", "REDIS_URL", "IDENTITY_KEYS", "LOOKUP_KEY")
FROM_ANY_SHELL = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
OVERCOMMIT = (
    "4711:M 29 Nov 2026 03:18:29.000 # WARNING Memory overcommit must be enabled! Without it, a background save or "
    "replication may fail under low memory condition."
)


def paste(line: str) -> dict[str, object]:
    """Run a line as a newcomer would, in a shell without any of the service's variables."""
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=True, timeout=60, cwd="/", env=FROM_ANY_SHELL)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_a_start_under_nice_runs_and_what_is_not_urgent_still_gives_way(tmp_path: Path) -> None:
    with up(tmp_path / "home", command=("nice", "-n", "4", REFERRALS)) as running:
        assert request(f"{running.url}/health/ready", "")[1]["degraded"] == []
        niceness = {name: os.getpriority(os.PRIO_PROCESS, pid) for name, pid in running.processes().items()}
    base = niceness["urgent"]
    assert {name for name, nice in niceness.items() if nice > base} == {"routine", "delivery"}
    assert set(niceness) > set(PROCESSES)


def test_keys_of_a_start_that_died_are_shown_by_the_next(tmp_path: Path) -> None:
    """The first start dies when the database is ready and the workers are not: nothing has been shown yet."""
    home = tmp_path / "home"
    broken = os.environ | {"PYTHONPATH": str(broken_worker(tmp_path))}
    with program([REFERRALS, "up", "--home", home, "--port", "0"], env=broken) as died:
        assert died.wait(200) == 1
    assert re.search("(urgent|routine|delivery) cannot start", "".join(died.said))
    with up(home) as running:
        assert sorted(running.keys()) == sorted(ROLES)
        assert paste(running.wait_for(r"^ +(curl .*)$")[1])["status"] == "triaged"


def broken_worker(folder: Path) -> Path:
    """Return a folder that keeps Celery's workers from starting wherever Python looks there."""
    (folder / "sitecustomize.py").write_text(
        "import celery.apps.worker\n\n\ndef refuse(*_, **__):\n    raise SystemExit('broken for a test')\n\n\n"
        "celery.apps.worker.Worker.__init__ = refuse\n"
    )
    return folder


def test_every_start_prints_a_line_to_try_and_nothing_before_it(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    with up(home) as first:
        assert [line for line in first.said if line.strip()][:-1] == []
        assert first.stop(signal.SIGINT) == 0
    chatter = [line for line in first.said if line.startswith(("postgres ", "valkey ")) or "| worker: " in line]
    assert chatter == []  # from start to end
    with up(home) as second:
        assert [line for line in second.said if line.strip()][:-1] == []
        answer = paste(second.wait_for(r"^ +(KEY=.* curl .*)$")[1])
    assert answer["status"] == "triaged"


def test_a_broker_that_does_not_answer_is_named_and_its_password_is_not(tmp_path: Path) -> None:
    with up(tmp_path / "home", env=os.environ | {"REDIS_URL": DEAD_BROKER}) as running:
        assert running.said[-1].startswith(f"ready, degraded: broker: {running.url} ")
        assert "127.0.0.1:1 (REDIS_URL) does not answer" in running.wait_for("^  broker: .*$")[0]
        answer = paste(running.wait_for(r"^ +(KEY=.* curl .*)$|^ +(curl .*)$")[0])
        assert answer["status"] == "triaged"  # a red flag, by the watchman
        assert running.stop() == 0
    said = "".join(running.said)
    logged = [json.loads(line.partition("| ")[2]) for line in running.said if '"the broker does not answer"' in line]
    assert {line["broker"] for line in logged} == {"127.0.0.1:1"}
    assert {line["error"] for line in logged} == {"ConnectionError"}
    assert "%s" not in said
    assert "secret" not in said


def test_what_the_servers_say_of_the_host_is_hidden_and_what_breaks_is_not() -> None:
    assert valkey.ROUTINE.search(OVERCOMMIT)
    assert postgres.ROUTINE.search("LOG:  database system is ready to accept connections")
    for line in ("LOG:  database system was interrupted; last known up at", "FATAL:  out of memory", "PANIC:  disk"):
        assert not postgres.ROUTINE.search(line)
    assert not valkey.ROUTINE.search("4711:M 29 Nov 2026 03:18:29.000 # Bad file format reading the append only file")
