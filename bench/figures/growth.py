"""The same questions to a small and to a large database: what a reader waits for does not grow with the years."""

import time
from contextlib import closing

from bench.backlog import receive, triage_here
from bench.bodies import get
from bench.client import Address, Connection
from bench.history import multiply, settle
from bench.report import Row, Spread
from bench.scene import Scene
from bench.stacks import OURS, api
from bench.takes import quantile

SMALL = 1_000
ONE_NUMBER = 20_000  # forms that a sender posts under the one number that it types where it knows none
WARM_UP = 20
TARGET = 1.5
PATHS = {"GET /v1/queues": "/v1/queues", "first worklist page": "/v1/queues/orthopedics/referrals"}

Latencies = dict[str, Spread]


def growing(scene: Scene) -> list[Row]:
    """Measure with all but the first thousand completed, with all open, and with all under one patient's number."""
    large = scene.scale.large
    rows = []
    with api(scene, OURS) as address:
        _fill(scene)
        _read(scene, address)  # so that the small one is not the one for which everything is done the first time
        small = _read(scene, address)
        multiply(scene, large // SMALL - 1, completed=True)
        rows += _compared(f"at {large:,} referrals, {SMALL:,} open", _read(scene, address), small)
        _fill(scene)
        multiply(scene, large // SMALL - 1, completed=False)
        rows += _compared(f"at {large:,} referrals, all open", _read(scene, address), small)
        _fill(scene)
        multiply(scene, ONE_NUMBER // SMALL - 1, completed=False, patients="one")
        # Twenty duplicates a row are twenty times as much to show: what counts is that it is no more.
        rows += _beside(f"at {ONE_NUMBER:,} referrals of one number", _read(scene, address), small).values()
    return rows


def _fill(scene: Scene) -> None:
    scene.clear()
    receive(scene, SMALL, scene.forms.mixed())
    triage_here(scene)
    settle(scene)


def _compared(when: str, large: Latencies, small: Latencies) -> list[Row]:
    rows = _beside(when, large, small)
    return [
        row.judged(f"<= {TARGET}x", large[name].median <= TARGET * small[name].median) for name, row in rows.items()
    ]


def _beside(when: str, large: Latencies, small: Latencies) -> dict[str, Row]:
    return {name: Row.compared(f"{name} {when}, p50", large[name], small[name], f"at {SMALL:,}") for name in PATHS}


def _read(scene: Scene, address: Address) -> Latencies:
    with closing(Connection(address)) as connection:
        return {name: _latency(connection, get(path, scene.reader), scene.scale.probes) for name, path in PATHS.items()}


def _latency(connection: Connection, request: bytes, reads: int) -> Spread:
    taken = []
    for _ in range(WARM_UP + reads):
        began = time.perf_counter()
        status, answer = connection.exchange(request)
        taken.append((time.perf_counter() - began) * 1e3)
        if status != 200:
            raise ValueError(f"{status}: {answer.decode()}")
    taken = taken[WARM_UP:]
    return Spread(quantile(taken, 0.5), quantile(taken, 0.1), quantile(taken, 0.9), "ms")
