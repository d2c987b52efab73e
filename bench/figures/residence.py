"""What `referrals up` costs a machine that has nothing else to do: its start, its memory, its idle processor time."""

import itertools
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil

from bench.backlog import POLL_SECONDS
from bench.bodies import get, posts
from bench.client import Address, Connection, drive
from bench.processes import running
from bench.report import Row, Spread
from bench.scene import FACILITY, Scene
from bench.stacks import HOST, REFERRALS, answers, free_port
from services.embedded.supervisor.service import Service

MEGABYTE = 2**20
SETTLING_SECONDS = 2
MEMORY_TARGET, START_TARGET, IDLE_TARGET = 450, 5, 3  # megabytes, seconds, percent of a core
GROWTH = 1.05  # what two readings of the same may differ by


def residing(scene: Scene) -> list[Row]:
    """Measure second starts, then the idle service, then the same after many intakes."""
    home = scene.servers.folder / "up"
    with _up(scene, home):
        key = _key(home)
    starts = [_start(scene, home) for _ in range(scene.scale.starts - 1)]
    with _up(scene, home) as (address, seconds, pid):
        starts.append(seconds)
        time.sleep(SETTLING_SECONDS)
        busy, idle = _busy_percent(pid, scene.scale.idle), _megabytes(pid)
        _post(scene, address, key, scene.scale.first)
        first = _megabytes(pid)
        _post(scene, address, key, scene.scale.lasting)
        last = _megabytes(pid)
    start = Spread.of(starts, "s")
    return [
        _memory("idle", idle),
        _grown(scene, first, last),
        Row.alone("second start of `referrals up`", start).judged(f"<= {START_TARGET} s", start.median <= START_TARGET),
        Row.alone("processor, idle", Spread.of([busy], "% of a core")).judged(
            f"<= {IDLE_TARGET} %", busy <= IDLE_TARGET
        ),
    ]


def _memory(when: str, megabytes: float) -> Row:
    row = Row.alone(f"memory (PSS) of `referrals up`, {when}", Spread.of([megabytes], "MB"))
    return row.judged(f"<= {MEMORY_TARGET} MB", megabytes <= MEMORY_TARGET)


def _grown(scene: Scene, first: float, last: float) -> Row:
    """Compare with a service in which every process has done everything once."""
    figure = f"memory (PSS) after {scene.scale.lasting:,} more intakes"
    row = Row.compared(figure, Spread.of([last], "MB"), Spread.of([first], "MB"), f"after {scene.scale.first:,}")
    return row.judged(f"<= {MEMORY_TARGET} MB, no growth", last <= min(MEMORY_TARGET, GROWTH * first))


@contextmanager
def _up(scene: Scene, home: Path) -> Iterator[tuple[Address, float, int]]:
    """Run the service; give its address, how long it took to be ready, and the process id of its runner."""
    address = (HOST, free_port())
    command = (*REFERRALS, "up", "--home", str(home), "--port", str(address[1]))
    service = Service("up", command, os.environ, ready=lambda _: answers(address, "/health/ready"))
    began = time.perf_counter()
    with running([service], scene.log) as (pid,):
        yield address, time.perf_counter() - began, pid


def _start(scene: Scene, home: Path) -> float:
    with _up(scene, home) as (_, seconds, _):
        return seconds


def _key(home: Path) -> str:
    facility = [*REFERRALS, "facilities", "add", FACILITY, "--home", str(home)]
    subprocess.run(facility, capture_output=True, check=True)  # noqa: S603 - our own command
    command = [*REFERRALS, "keys", "issue", "--role", "admin", "--facility", FACILITY, "--home", str(home), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own command
    key: str = json.loads(said)["key"]
    return key


def _post(scene: Scene, address: Address, key: str, count: int) -> None:
    """Post so many intakes, wait until the last of them stands in a worklist, and for things to settle."""
    wanted = _open(address, key) + count
    requests = itertools.islice(posts(scene.forms.mixed(), key, f"{count}"), count)
    load = drive([address], requests, seconds=float("inf"))
    if load.statuses != {202: count}:
        raise ValueError(f"not every post was accepted: {dict(load.statuses)}; see {scene.log}")
    while _open(address, key) < wanted:
        time.sleep(POLL_SECONDS)
    time.sleep(SETTLING_SECONDS)


def _open(address: Address, key: str) -> int:
    with closing(Connection(address)) as connection:
        _, answer = connection.exchange(get("/v1/queues", key))
    return sum(queue["open"] for queue in json.loads(answer)["queues"])


def _of_all(pid: int, amount: Callable[[psutil.Process], float]) -> float:
    """Return the sum over the runner and all below it; one that ends before it is asked has nothing."""
    runner = psutil.Process(pid)
    total = amount(runner)
    for process in runner.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += amount(process)
    return total


def _megabytes(pid: int) -> float:
    return _of_all(pid, lambda process: process.memory_full_info().pss) / MEGABYTE


def _busy_percent(pid: int, seconds: float) -> float:
    before = _processor_seconds(pid)
    time.sleep(seconds)
    return (_processor_seconds(pid) - before) / seconds * 100


def _processor_seconds(pid: int) -> float:
    """Return what they have used so far, those that ended and were waited for, too."""
    return _of_all(pid, lambda process: sum(process.cpu_times()[:4]))
