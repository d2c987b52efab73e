"""Intakes a second by batches of a thousand, beside single posts."""

from functools import partial

from bench.bodies import batches
from bench.client import Address, drive
from bench.load import post_for, warm_up
from bench.report import Row, Spread
from bench.scene import Scene
from bench.stacks import OURS, api
from bench.takes import in_turn

CLIENTS = 2  # one batch is read while the other is stored
LONGER = 3  # than single posts are measured: the last batch has nobody beside it, and should not count for much
PER_SECOND = "/s"
TARGET = 5


def batching(scene: Scene) -> list[Row]:
    """Measure how many intakes are accepted a second in batches, and one by one, while no worker runs."""
    scene.clear()
    with api(scene, OURS) as address:
        warm_up(scene, [address])
        measurements = {
            "batches": partial(_in_batches, scene, address),
            "single posts": partial(_singly, scene, address),
        }
        takes = {name: Spread.of(each, PER_SECOND) for name, each in in_turn(scene.scale.rounds, measurements).items()}
    figure = f"intakes accepted per second, batches of {scene.scale.batch:,}, {CLIENTS} clients"
    row = Row.compared(figure, takes["batches"], takes["single posts"], "single posts, 16 clients")
    return [row.judged(f">= {TARGET}x", row.ours.median >= TARGET * takes["single posts"].median)]


def _in_batches(scene: Scene, address: Address) -> float:
    scene.clear()
    requests = batches(scene.forms.mixed(), scene.key, "batch", scene.scale.batch)
    load = drive([address], requests, seconds=LONGER * scene.scale.load, clients=CLIENTS)
    if set(load.statuses) != {200}:
        raise ValueError(f"not every batch was accepted: {dict(load.statuses)}; see {scene.log}")
    return load.per_second * scene.scale.batch


def _singly(scene: Scene, address: Address) -> float:
    scene.clear()
    return post_for(scene, [address], "load", scene.scale.load).per_second
