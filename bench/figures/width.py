"""More processes of each role on one machine: where more of them do more, none stands in another's way."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from bench.backlog import announce, receive, triaged_per_second, wait_until_drained
from bench.load import post_for, warm_up
from bench.report import Row, Spread
from bench.scene import Scene
from bench.stacks import OURS, REFERRALS, Stack, api, workers
from bench.takes import in_turn

APIS, WORKERS = (1, 2), (1, 2, 4)
PER_SECOND = "/s"


def widening(scene: Scene) -> list[Row]:
    """Measure posts with one and two APIs, and draining with one, two and four routine workers."""
    apis = {f"API x{number}": partial(_accept, scene, number) for number in APIS}
    routine = {f"routine worker x{number}": partial(_drain, scene, number) for number in WORKERS}
    return [*_beside_one(scene, "accepted per second", apis), *_beside_one(scene, "triaged per second", routine)]


def _beside_one(scene: Scene, figure: str, measurements: dict[str, partial[float]]) -> list[Row]:
    takes = {name: Spread.of(each, PER_SECOND) for name, each in in_turn(scene.scale.rounds, measurements).items()}
    one, *more = takes
    return [Row.compared(f"{figure}, {name}", takes[name], takes[one], one) for name in more]


def _accept(scene: Scene, number: int) -> float:
    scene.clear()
    with ExitStack() as running:
        addresses = [running.enter_context(api(scene, OURS)) for _ in range(number)]
        warm_up(scene, addresses)
        return post_for(scene, addresses, "load", scene.scale.load).per_second


def _drain(scene: Scene, number: int) -> float:
    scene.clear()
    receive(scene, scene.scale.draining, scene.forms.routine)
    for _ in range(number):
        announce(scene)
    with workers(scene, _routine(number)):
        wait_until_drained(scene)
    return triaged_per_second(scene)


def _routine(number: int) -> Stack:
    return replace(OURS, workers=((*REFERRALS, "worker", "routine"),) * number)
