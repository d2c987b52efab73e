"""Any one process dies by SIGKILL while 500 intakes are posted: each becomes one referral, and no red flag waits."""

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.cases import case_for
from tests.compose.client import QUEUES, Client
from tests.compose.forms import form_for
from tests.compose.load import SENDERS, History, Sent, assert_each_routed_once
from tests.referrals import Up, children, up

INTAKES = 500
RED_FLAG_SECONDS = 2
BACK_SECONDS = 40
PROCESSES = ("urgent", "routine", "watchman", "valkey")


@dataclass(frozen=True)
class Service:
    """A running `referrals up` with a hospital's and an operator's key."""

    running: Up
    hospital: Client
    operator: Client

    def kill(self, name: str) -> bool:
        """Kill that process and its children, if it runs; say whether it did."""
        killed = self.running.processes().get(name)
        for pid in (*children(killed), killed) if killed else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return killed is not None

    @contextmanager
    def dead(self, name: str) -> Iterator[None]:
        """Keep that process dead: whenever it is started again, it is killed again. Then wait until it is back."""
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
            self.running.listen()
            over.set()
            thread.join()
            self.running.wait_for(f"^{name} is back", BACK_SECONDS)

    def seconds_to_urgent(self, intake: str) -> float:
        """Return after how long `intake` has its referral in the urgent queue, at most 20 seconds."""
        began = time.monotonic()
        while (seconds := time.monotonic() - began) < 20:
            if (referral := self.hospital.get(f"/v1/intakes/{intake}")["referral"]) is not None:
                assert referral["queue"] == "urgent"
                break
            time.sleep(0.02)
        return seconds


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Service]:
    with up(tmp_path_factory.mktemp("kills") / "home") as running:
        keys, port = running.keys(), urlsplit(running.url).port
        yield Service(running, Client(port, keys["submitter"]), Client(port, keys["operator"]))


@pytest.mark.parametrize("name", PROCESSES)
def test_whatever_dies_under_load_every_intake_becomes_one_referral(service, name):
    queues = itertools.cycle(QUEUES)
    history = History(service.hospital, [Sent(f"{name}-{number}", case_for(next(queues))) for number in range(INTAKES)])
    with ThreadPoolExecutor(SENDERS) as senders:
        posts = [senders.submit(sent.send, service.hospital) for sent in history.sent]
        while sum(post.done() for post in posts) < INTAKES // 4:
            time.sleep(0.01)
        assert service.kill(name)
    assert_each_routed_once(history, service.operator)


@pytest.mark.parametrize("name", PROCESSES)
def test_whatever_is_dead_a_red_flag_is_in_its_queue_within_two_seconds(service, name):
    with service.dead(name):
        for number in range(3):
            answer = service.hospital.post_intake(form_for("urgent", f"red-{name}-{number}"))
            assert answer.status == 202
            assert service.seconds_to_urgent(answer.body["id"]) < RED_FLAG_SECONDS
