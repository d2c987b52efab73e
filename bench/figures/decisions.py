"""One decision and one screening: how long the pure functions take, without database or network."""

import time
from collections.abc import Callable

from bench.report import Row, Spread
from bench.scene import Scene
from bench.takes import quantile
from shared.clinical.form import Form, read
from shared.clinical.triage import screen, triage
from shared.platform.clock import now
from shared.protocols import active

ROUNDS = 100
TARGET = 200  # microseconds


def deciding(scene: Scene) -> list[Row]:
    """Measure over the example cases."""
    protocol, today = active(), now().date()
    bodies = (*scene.forms.routine, *scene.forms.urgent)
    forms = [read(body, protocol, today=today) for body in bodies]
    return [
        *_rows("one decision", lambda form: triage(form, protocol).record(), forms),
        *_rows("screening at intake", lambda form: screen(form, protocol), forms),
    ]


def _rows(figure: str, decide: Callable[[Form], object], forms: list[Form]) -> list[Row]:
    taken = [_microseconds(decide, form) for _ in range(ROUNDS) for form in forms]
    rows = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        mine = Spread.of([quantile(taken, share)], "µs")
        rows.append(Row.alone(f"{figure}, {name}", mine).judged(f"<= {TARGET} µs", mine.median <= TARGET))
    return rows


def _microseconds(decide: Callable[[Form], object], form: Form) -> float:
    began = time.perf_counter()
    decide(form)
    return (time.perf_counter() - began) * 1e6
