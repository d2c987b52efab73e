"""A service that starts with much waiting takes the red flags among it first, and loses none of it."""

import json
import signal
import time
from contextlib import ExitStack, closing
from pathlib import Path

from tests.cases import case_for
from tests.driver.load import History, load
from tests.driver.lookout import Lookout
from tests.driver.verdict import said, verdict
from tests.program import all_gone
from tests.referrals import children, up

from .fault import QUIET, row
from .pace import Pace
from .service import Service, signal_all
from .table import Row

CALM, RED = case_for("clinical_review"), case_for("urgent")
TRIAGING = ("urgent", "routine", "watchman")
PORT_ARGUMENT = "--port"


def test_a_cold_start_with_much_waiting(tmp_path: Path, pace: Pace, rows: list[Row]) -> None:
    """Everything is killed at once while nothing is triaged, and started again."""
    home = tmp_path / "home"
    with up(home) as first, closing(of(first, home)) as before, ExitStack() as stack:
        history = History("cold-start", before.tenants(10))
        for name in TRIAGING:
            stack.enter_context(before.frozen(name))
        history.send_in_batches([CALM] * int(pace.of(250, 50_000)))
        history.send([RED] * 20)
        family = first.family()
        signal_all([first.process.pid, *children(first.process.pid), *family], signal.SIGKILL)
        assert all_gone(family)
    with up(home, PORT_ARGUMENT, str(before.port)) as second, closing(of(second, home)) as after:
        began = time.monotonic()
        with Lookout(history) as lookout:
            with load(history):
                time.sleep(pace.of(2, 60))
            unseen = lookout.finish(20)
        found = verdict(history)
        after.wait_until_whole()
    rows.append(row("cold start with a backlog", history, found, lookout.slowest(since=began)))
    assert [*found.faults, *said("red flags in no urgent worklist", unseen)] == []
    assert lookout.slowest_by_itself(since=began) <= 2 + QUIET


def of(running, home: Path) -> Service:
    return Service(running, home, json.loads((home / "running.json").read_text())["environment"])
