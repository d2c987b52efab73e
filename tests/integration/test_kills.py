"""Any one process dies by SIGKILL while 500 intakes are posted: each becomes one referral, and no red flag waits."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compose.client import QUEUES, Client
from tests.compose.forms import case_for
from tests.compose.load import SENDERS, History, Sent, assert_each_routed_once
from tests.program import Program, descendants, program

REFERRALS = Path(sys.executable).with_name("referrals")
INTAKES = 500
RED_FLAG_SECONDS = 2
COMMAND_OF = {  # by what stands in the command line of each process
    "urgent-worker": "--queues=triage.priority",
    "routine-worker": "--queues=triage.routine",
    "watchman": "watchman",
    "valkey": "valkey-server",
}


@dataclass(frozen=True)
class Service:
    """A running `referrals up` with a hospital's and an operator's key."""

    up: Program
    hospital: Client
    operator: Client

    def kill(self, name: str) -> int:
        """Kill every process of that name, pool children included; return how many there were."""
        victims = [pid for pid in descendants(self.up.process.pid) if COMMAND_OF[name] in command_line(pid)]
        for victim in victims:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        return len(victims)

    @contextmanager
    def dead(self, name: str) -> Iterator[None]:
        """Keep that process dead: whenever it is started again, it is killed again."""
        over = threading.Event()

        def keep_dead() -> None:
            while not over.wait(0.02):
                self.kill(name)

        thread = threading.Thread(target=keep_dead)
        assert self.kill(name)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def seconds_to_urgent(self, intake: str) -> float:
        """Return after how long `intake` has its referral in the urgent queue, at most 20 seconds."""
        began = time.monotonic()
        while (seconds := time.monotonic() - began) < 20:
            if (referral := self.operator.get(f"/v1/intakes/{intake}")["referral"]) is not None:
                assert referral["queue"] == "urgent"
                break
            time.sleep(0.02)
        return seconds


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("kills")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with program([REFERRALS, "up", "--home", home, "--port", str(port)]) as up:
        up.wait_for("^ready: ", seconds=60)

        def client(*options: str) -> Client:
            command = [REFERRALS, "keys", "issue", *options, "--home", home, "--json"]
            issued = subprocess.run(command, check=True, capture_output=True, text=True)
            return Client(port, json.loads(issued.stdout)["key"])

        yield Service(up, client("--role", "submitter", "--facility", "st-marys"), client("--role", "operator"))


@pytest.mark.parametrize("name", COMMAND_OF)
def test_whatever_dies_under_load_every_intake_becomes_one_referral(service, name):
    queues = itertools.cycle(QUEUES)
    history = History(service.hospital, [Sent(f"{name}-{number}", case_for(next(queues))) for number in range(INTAKES)])
    with ThreadPoolExecutor(SENDERS) as senders:
        posts = [senders.submit(sent.send, service.hospital) for sent in history.sent]
        while sum(post.done() for post in posts) < INTAKES // 4:
            time.sleep(0.01)
        assert service.kill(name)
    assert_each_routed_once(history, service.operator)


@pytest.mark.parametrize("name", COMMAND_OF)
def test_whatever_is_dead_a_red_flag_is_in_its_worklist_within_two_seconds(service, name):
    red = case_for("urgent")
    with service.dead(name):
        for number in range(3):
            answer = service.hospital.post_intake(red.body(mrn=f"red-{name}-{number}"))
            assert answer.status == 202
            assert service.seconds_to_urgent(answer.body["id"]) < RED_FLAG_SECONDS
