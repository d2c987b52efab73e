"""Intakes a second: accepted, triaged, and both at once for as long as one likes; beside the ordinary service."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from bench.backlog import announce, more_wait, receive, triaged_per_second, wait_until_drained
from bench.client import Load
from bench.load import post_for, warm_up
from bench.pgbench import inserts_per_second, row_bytes
from bench.plain.tasks import TRIAGE_TASK as PLAIN_TASK
from bench.plain.tasks import create_celery
from bench.report import Row, Spread
from bench.scene import Scene
from bench.stacks import OURS, PLAIN, Stack, api, workers
from bench.takes import histogram, in_turn, quantile

MAX_WAITING = 200  # under sustained load; where more wait, the clients hold back
LOOK_SECONDS = 0.05
DRAINED_BEFORE = 100  # intakes that do not count
HELD = "held"  # a task queue that nobody consumes
PER_SECOND = "/s"


def draining(scene: Scene) -> list[Row]:
    """Measure how fast a backlog is triaged, from the first stored decision to the last."""
    takes = _both(scene, _drain)
    figure = f"intakes triaged per second, draining {scene.scale.draining:,} received"
    return [_against_plain(figure, takes, 8)]


def accepting(scene: Scene) -> list[Row]:
    """Measure how many posts are answered 202 while no worker runs, and how many rows PostgreSQL could take."""
    size = _size(scene)
    loads: dict[str, list[Load]] = {OURS.name: [], PLAIN.name: []}
    takes = in_turn(
        scene.scale.rounds,
        {
            **{stack.name: partial(_accept, scene, stack, loads[stack.name]) for stack in (OURS, PLAIN)},
            "pgbench": partial(inserts_per_second, scene, size, scene.scale.load),
        },
    )
    row = _against_plain("intakes accepted per second, 16 clients, keep-alive", takes, 3)
    ceiling = Spread.of(takes["pgbench"], PER_SECOND)
    durable = Row.compared("the same", row.ours, ceiling, f"pgbench -c 16, one durable INSERT of {size:,} bytes")
    details = {name: _latencies(each) for name, each in loads.items()}
    return [row.explained(details), replace(durable, target="aim at 0.50")]


def sustaining(scene: Scene) -> list[Row]:
    """Measure how many intakes go from a post into a worklist while the backlog stays bounded."""
    figure = f"end to end per second, never more than {MAX_WAITING} waiting"
    return [_against_plain(figure, _both(scene, _sustain), 3)]


def _both(scene: Scene, take: Callable[[Scene, Stack], float]) -> dict[str, list[float]]:
    return in_turn(scene.scale.rounds, {stack.name: partial(take, scene, stack) for stack in (OURS, PLAIN)})


def _against_plain(figure: str, takes: dict[str, list[float]], target: float) -> Row:
    ours, plain = Spread.of(takes[OURS.name], PER_SECOND), Spread.of(takes[PLAIN.name], PER_SECOND)
    row = Row.compared(figure, ours, plain, "plain")
    return row.judged(f">= {target:g}x", ours.median >= target * plain.median)


def _drain(scene: Scene, stack: Stack) -> float:
    scene.clear()
    with workers(scene, stack):
        for count in (DRAINED_BEFORE, scene.scale.draining):  # so that all are up when it counts
            _hand_over(scene, stack, receive(scene, count, scene.forms.mixed()))
            wait_until_drained(scene)
    return triaged_per_second(scene)


def _hand_over(scene: Scene, stack: Stack, intakes: Sequence[UUID]) -> None:
    """Tell the workers of what waits; those of the ordinary service get all messages at once, ready made."""
    if stack is OURS:
        announce(scene)
        return
    task = create_celery(scene.settings, scene.sessions).tasks[PLAIN_TASK]
    for intake_id in intakes:
        task.apply_async((str(intake_id),), queue=HELD)
    scene.servers.move_messages(HELD, task.app.conf.task_default_queue)


def _accept(scene: Scene, stack: Stack, loads: list[Load]) -> float:
    scene.clear()
    with api(scene, stack) as address:
        warm_up(scene, [address])
        loads.append(post_for(scene, [address], "load", scene.scale.load))
    return loads[-1].per_second


def _sustain(scene: Scene, stack: Stack) -> float:
    scene.clear()
    with api(scene, stack) as address, workers(scene, stack):
        gate = _Gate(scene)
        warm_up(scene, [address], gate)
        wait_until_drained(scene)  # and every worker is up
        began = time.perf_counter()
        load = post_for(scene, [address], "load", scene.scale.load, gate)
        wait_until_drained(scene)
        return len(load.latencies) / (time.perf_counter() - began)


class _Gate:
    """Open while the backlog is small; looks at it now and then."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._looked_at, self._open = scene, 0.0, True

    def __call__(self) -> bool:
        if time.perf_counter() - self._looked_at > LOOK_SECONDS:
            self._open = not more_wait(self._scene, MAX_WAITING)
            self._looked_at = time.perf_counter()
        return self._open


def _size(scene: Scene) -> int:
    scene.clear()
    receive(scene, 200, scene.forms.mixed())
    return row_bytes(scene)


def _latencies(loads: list[Load]) -> dict[str, Any]:
    latencies = [latency for load in loads for latency in load.latencies]
    own = sum(load.own_seconds for load in loads) / len(latencies)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
    return {
        **{f"{name} ms": round(quantile(latencies, share) * 1e3, 2) for name, share in shares.items()},
        "histogram µs": histogram(latencies),
        "client µs a request": round(own * 1e6, 1),
    }
