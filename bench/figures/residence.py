"""What `referrals up` costs a machine that has nothing else to do: its start, its memory, its idle processor time."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.backlog import POLL_SECONDS
from bench.bodies import get, posts
from bench.client import Address, Connection, drive
from bench.processes import running
from bench.report import Row, Spread
from bench.scene import FACILITY, Scene
from bench.stacks import HOST, REFERRALS, answers, free_port
from services.cli.runner.service import Service

MEGABYTE = 2**20
SETTLING_SECONDS = 3
MEMORY_TARGET, START_TARGET, IDLE_TARGET = 450, 5, 3  # megabytes, seconds, percent of a core
GROWTH = 1.05  # what two readings of the same may differ by


def residing(scene: Scene) -> list[Row]:
    """Measure second starts, then the idle service, then the same after many intakes."""
    home = scene.servers.folder / "up"
    with _up(scene, home):
        key = _key(home)
    starts = []
    for _ in range(scene.scale.rounds - 1):
        with _up(scene, home) as (_, seconds, _):
            starts.append(seconds)
    with _up(scene, home) as (address, seconds, pid):
        starts.append(seconds)
        time.sleep(SETTLING_SECONDS)
        busy, before = _busy_percent(pid, scene.scale.idle_seconds), _megabytes(pid)
        _post(scene, address, key)
        time.sleep(SETTLING_SECONDS)
        after = _megabytes(pid)
    lasting = f"memory (PSS) after {scene.scale.lasting:,} intakes"
    start, idle = Spread.of(starts, "s"), Spread.of([before], "MB")
    grown = Row.compared(lasting, Spread.of([after], "MB"), idle, "idle")
    return [
        Row.alone("memory (PSS) of `referrals up`, idle", idle).judged(
            f"<= {MEMORY_TARGET} MB", before <= MEMORY_TARGET
        ),
        grown.judged(f"<= {MEMORY_TARGET} MB, no growth", after <= min(MEMORY_TARGET, GROWTH * before)),
        Row.alone("second start of `referrals up`", start).judged(f"<= {START_TARGET} s", start.median <= START_TARGET),
        Row.alone("processor, idle", Spread.of([busy], "% of a core")).judged(
            f"<= {IDLE_TARGET} %", busy <= IDLE_TARGET
        ),
    ]


@contextmanager
def _up(scene: Scene, home: Path) -> Iterator[tuple[Address, float, int]]:
    """Run the service; give its address, how long it took to be ready, and the process id of its runner."""
    address = (HOST, free_port())
    command = (*REFERRALS, "up", "--home", str(home), "--port", str(address[1]))
    service = Service("up", command, os.environ, ready=lambda _: answers(address, "/health/ready"))
    began = time.perf_counter()
    with running([service], scene.log) as (pid,):
        yield address, time.perf_counter() - began, pid


def _key(home: Path) -> str:
    command = [*REFERRALS, "keys", "issue", "--role", "admin", "--facility", FACILITY, "--home", str(home), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own command
    key: str = json.loads(said)["key"]
    return key


def _post(scene: Scene, address: Address, key: str) -> None:
    """Post as many intakes as the scale says, and wait until the last of them stands in a worklist."""
    left = scene.scale.lasting
    requests = (request for request, _ in zip(posts(scene.forms.mixed(), key, "lasting"), range(left), strict=False))
    load = drive(address, requests, seconds=float("inf"))
    if load.statuses != {202: left}:
        raise ValueError(f"not every post was accepted: {dict(load.statuses)}; see {scene.log}")
    connection = Connection(address)
    while _open(connection, key) < left:
        time.sleep(POLL_SECONDS)
    connection.close()


def _open(connection: Connection, key: str) -> int:
    _, answer = connection.exchange(get("/v1/queues", key))
    return sum(queue["open"] for queue in json.loads(answer)["queues"])


def _tree(pid: int) -> list[psutil.Process]:
    runner = psutil.Process(pid)
    return [runner, *runner.children(recursive=True)]


def _megabytes(pid: int) -> float:
    return sum(process.memory_full_info().pss for process in _tree(pid)) / MEGABYTE


def _busy_percent(pid: int, seconds: float) -> float:
    before = _processor_seconds(pid)
    time.sleep(seconds)
    return (_processor_seconds(pid) - before) / seconds * 100


def _processor_seconds(pid: int) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in _tree(pid)))
