"""From POST to the urgent worklist: how long a red flag takes to be seen, idle and behind a large backlog."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial

from bench.backlog import more_wait, receive
from bench.bodies import get, post, posts
from bench.client import Address, Connection, drive
from bench.report import Row, Spread
from bench.scene import Scene
from bench.stacks import EMPTY, OURS, api, workers
from bench.takes import histogram, in_turn, quantile

WORKLIST = "/v1/queues/urgent/referrals"
WARM_UP, FEWEST = 20, 20
LOOK_SECONDS = 0.001  # between two looks at the worklist
ARRIVING_PER_SECOND = 50
IDLE_TARGETS = {"p50": (0.5, 10), "p99": (0.99, 30)}  # milliseconds
BUSY_TARGET = 2  # times idle


def visible(scene: Scene) -> list[Row]:
    """Measure idle beside an empty POST, and with a backlog beside idle."""
    measurements = {"idle": _idle, "empty": _empty, "busy": _busy}
    takes = in_turn(scene.scale.rounds, {name: partial(take, scene) for name, take in measurements.items()})
    rows = []
    for name, (share, target) in IDLE_TARGETS.items():
        mine, other = _milliseconds(takes["idle"], share), _milliseconds(takes["empty"], share)
        row = Row.compared(f"POST to urgent worklist, idle, {name}", mine, other, "empty Flask POST")
        rows.append(row.judged(f"<= {target} ms", mine.median <= target).explained(_shape(takes["idle"])))
    mine, other = _milliseconds(takes["busy"], 0.99), _milliseconds(takes["idle"], 0.99)
    figure = f"the same p99, {scene.scale.waiting:,} routine waiting, {ARRIVING_PER_SECOND}/s arriving"
    row = Row.compared(figure, mine, other, "idle").explained(_shape(takes["busy"]))
    return [*rows, row.judged(f"<= {BUSY_TARGET}x", mine.median <= BUSY_TARGET * other.median)]


def _idle(scene: Scene) -> list[float]:
    scene.clear()
    with api(scene, OURS) as address, workers(scene, OURS):
        return _seen(scene, address, scene.scale.probes)


def _busy(scene: Scene) -> list[float]:
    scene.clear()
    receive(scene, scene.scale.waiting, scene.forms.routine)
    with api(scene, OURS) as address, workers(scene, OURS), _arriving(scene, address):
        return _seen(scene, address, scene.scale.probes, lasting=lambda: more_wait(scene))


def _empty(scene: Scene) -> list[float]:
    with api(scene, EMPTY) as address, closing(Connection(address)) as connection:
        latencies = []
        for request in itertools.islice(posts(scene.forms.urgent, scene.key, "empty"), WARM_UP + scene.scale.probes):
            began = time.perf_counter()
            connection.exchange(request)
            latencies.append(time.perf_counter() - began)
        return latencies[WARM_UP:]


def _seen(scene: Scene, address: Address, most: int, lasting: Callable[[], bool] = lambda: True) -> list[float]:
    """Post red flags one after the other, `most` or as long as `lasting`; return how long each took to be seen."""
    requests = posts(scene.forms.urgent, scene.key, "red")
    latencies: list[float] = []
    with closing(Connection(address)) as connection:
        while len(latencies) < WARM_UP + most and lasting():
            latencies.append(_one(scene, connection, next(requests)))
    if len(latencies) < WARM_UP + FEWEST:
        raise ValueError("the backlog was gone before enough red flags were posted: let more wait")
    return latencies[WARM_UP:]


def _one(scene: Scene, connection: Connection, request: bytes) -> float:
    began = time.perf_counter()
    _, answer = connection.exchange(request)
    intake_id = json.loads(answer)["id"]
    look = get(WORKLIST, scene.reader)
    while intake_id.encode() not in (page := connection.exchange(look)[1]):
        time.sleep(LOOK_SECONDS)
    latency = time.perf_counter() - began
    _complete(scene, connection, json.loads(page)["referrals"][0]["id"])
    return latency


def _complete(scene: Scene, connection: Connection, referral_id: str) -> None:
    """Work the referral, so that the worklist is as short for the next red flag."""
    for step, body in (
        ("acknowledge", {"by": "Dr A. Okafor"}),
        ("complete", {"by": "Dr A. Okafor", "outcome": "seen"}),
    ):
        path = f"/v1/referrals/{referral_id}/{step}"
        status, answer = connection.exchange(post(path, scene.reader, json.dumps(body).encode()))
        if status != 200:
            raise ValueError(f"{step}: {answer.decode()}")


@contextmanager
def _arriving(scene: Scene, address: Address) -> Iterator[None]:
    """Have routine forms arrive all the time."""
    ended = threading.Event()
    requests = itertools.takewhile(lambda _: not ended.is_set(), posts(scene.forms.routine, scene.key, "routine"))
    settings = {"seconds": float("inf"), "rate": ARRIVING_PER_SECOND, "clients": 4}
    with ThreadPoolExecutor(1) as sender:
        load = sender.submit(drive, [address], requests, **settings)
        try:
            yield
        finally:
            ended.set()
    load.result()  # a figure beside which nothing arrived is none


def _shape(takes: list[list[float]]) -> dict[str, object]:
    latencies = [latency for take in takes for latency in take]
    return {"probes": len(latencies), "histogram µs": histogram(latencies)}


def _milliseconds(takes: list[list[float]], share: float) -> Spread:
    return Spread.of([quantile(take, share) * 1e3 for take in takes], "ms")
