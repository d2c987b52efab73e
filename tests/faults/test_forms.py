"""Forms that raise, hang or kill whatever triages them end with a person, and hold up nobody."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cases import Case, case_for
from tests.driver.client import QUEUES
from tests.referrals import up
from tests.worker.misbehave import HANGS, KILLS, RAISES

from .conftest import identities
from .fault import Fault, Scene, endure
from .misbehaving import UNSCREENED
from .pace import Pace
from .service import Service
from .table import Row

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service in which some forms do harm."""
    home = tmp_path_factory.mktemp("forms") / "home"
    command = (sys.executable, "-m", "tests.faults.misbehaving")
    with up(home, command=command, env=os.environ | {"PYTHONPATH": str(ROOT)}) as running:
        environment = json.loads((home / "running.json").read_text())["environment"]
        with closing(Service(running, home, environment)) as made:
            yield made
    assert identities(made) == []


def scoring(queue: str, score: float, *, ends_in: str | None = None) -> Case:
    """Return a case of `queue` with this pain score, and where it has to end."""
    case = case_for(queue)
    form = case.form | {"symptoms": case.form["symptoms"] | {"pain_score": score}}
    return replace(case, form=form, expected=case.expected | {"queue": ends_in or queue})


def harmful(score: float, *, urgent: int = 1) -> Fault:
    """The fault that such forms come in among the others, of both lanes."""
    name = {RAISES: "raise", HANGS: "hang", KILLS: "kill their process"}[score]

    def strike(scene: Scene) -> None:
        for _ in range(int(scene.pace.of(1, 5))):
            scene.history.send([scoring("urgent", score)] * urgent)
            scene.history.send([scoring("orthopedics", score, ends_in="clinical_review")])
            time.sleep(scene.seconds)

    return Fault(f"forms that {name}", strike, stated=10, red_flags=10)


def unscreened(scene: Scene) -> None:
    """Forms of every queue on which screening raises; those of no danger lose nothing but their lane."""
    scene.history.send([scoring(queue, UNSCREENED) for queue in QUEUES for _ in range(5)])
    time.sleep(scene.seconds)


FAULTS = (
    harmful(RAISES),
    harmful(HANGS),
    harmful(KILLS),
    Fault("screening that raises", unscreened, short=2, stated=10),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_lost_and_no_red_flag_waits(service: Service, fault: Fault, pace: Pace, rows: list[Row]) -> None:
    endure(service, fault, pace, rows)
