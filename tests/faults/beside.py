"""More processes beside those that `referrals up` runs: a second of each, or some that go by another clock."""

import os
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import files

from tests.driver.load import History, load
from tests.driver.verdict import assert_each_routed_once
from tests.program import Program, program
from tests.referrals import REFERRALS, request

from .fault import Fault, Scene
from .service import Service, wait_until

(CLOCK,) = (path.locate() for path in files("libfaketime") or () if path.name == "libfaketime.so.1")
WORKERS = ("urgent", "routine", "urgent-delivery", "delivery")
AT_WORK = {**{name: ("worker", name) for name in WORKERS}, "watchman": ("watchman",)}
TRIAGED = "triage.stored"


@contextmanager
def beside(service: Service, *, names: Collection[str] = tuple(AT_WORK), **environment: str) -> Iterator[list[Program]]:
    """Yield another process of each name, once it is at work on the service's own servers."""
    with ExitStack() as stack:
        started: list[Program] = []
        for name in names:
            beat = service.home / f"another-{name}.heartbeat"
            beat.unlink(missing_ok=True)
            own = {"HEARTBEAT_FILE": str(beat), "STOP_SECONDS": "1", **environment}
            running = program([REFERRALS, *AT_WORK[name]], env={**os.environ, **service.environment, **own})
            started.append(stack.enter_context(running))
        for name in names:
            wait_until((service.home / f"another-{name}.heartbeat").exists, f"another {name}")
        yield started


@contextmanager
def another_api(service: Service) -> Iterator[int]:
    """Yield the port of a second API."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    command = [REFERRALS, "api", "--port", str(port)]
    with program(command, env={**os.environ, **service.environment}):
        wait_until(lambda: answers(port), "another API")
        yield port


def answers(port: int) -> bool:
    try:
        return request(f"http://127.0.0.1:{port}/health/ready", "")[0] == 200
    except OSError:
        return False


@contextmanager
def a_second_of_each(service: Service) -> Iterator[int]:
    """Yield the port of a second API, while two of each worker and two watchmen work."""
    with another_api(service) as port, beside(service):
        yield port


def two_of_every_process(scene: Scene) -> None:
    """Send a second load through the second API."""
    tenants = [replace(each, hospital=replace(each.hospital, port=scene.prepared)) for each in scene.service.tenants(2)]
    with load(History(f"{scene.history.name}-too", tenants)) as second:
        time.sleep(scene.seconds)
    assert_each_routed_once(second)


def others_triage(scene: Scene) -> None:
    """Let the workers that are there beside the service's own have their share."""
    time.sleep(scene.seconds)
    for other in scene.prepared:
        other.listen()
    assert any(TRIAGED in line for other in scene.prepared for line in other.said)


def clocks_off(direction: str, shift: str) -> Fault:
    """The fault that other workers and another watchman believe that it is another time."""
    wrong = {"LD_PRELOAD": str(CLOCK), "FAKETIME": shift, "DONT_FAKE_MONOTONIC": "1"}
    return Fault(f"clocks two hours {direction}", others_triage, short=2, around=partial(beside, **wrong))


FAULTS = (
    Fault("two of every process", two_of_every_process, short=2, around=a_second_of_each),
    clocks_off("ahead", "+2h"),
    clocks_off("behind", "-2h"),
)
