"""A wait is compared with what the machine made of a fixed piece of work meanwhile: other work cannot move a bound."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from tests.cases import case_for
from tests.driver.client import Client
from tests.driver.contention import Contention, Sample, stretch
from tests.driver.load import History, Tenant
from tests.driver.lookout import Lookout

CALM = [Sample(at, at + 0.010, 0.010) for at in (0.0, 0.1, 0.2, 0.3)]
BUSY = [Sample(at, at + 0.040, 0.010) for at in (1.0, 1.1, 1.2, 1.3)]
HOG = "while True: pass"


def test_the_stretch_is_that_of_the_time_asked_about():
    assert stretch([*CALM, *BUSY], 0.05, 0.5) == pytest.approx(1)
    assert stretch([*CALM, *BUSY], 1.05, 1.5) == pytest.approx(4)
    assert stretch([*CALM, *BUSY], 0, 2) == pytest.approx(2.5)
    assert stretch([], 0, 2) == 1
    assert stretch([Sample(0, 0.005, 0.010)], 0, 2) == 1  # never less: no wait is made longer


def test_other_work_on_the_same_processor_is_measured():
    """With three hogs on its one processor the probe waits for them; by its own processor time it does not."""
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})  # what is started now inherits it
    try:
        with ExitStack() as stack:
            for _ in range(3):
                hog = subprocess.Popen([sys.executable, "-SEc", HOG])
                stack.callback(hog.wait)
                stack.callback(hog.kill)
            contention = stack.enter_context(Contention())
            began = time.monotonic()
            while len(contention.samples) < 15:
                time.sleep(0.02)
            samples = contention.samples[:15]
    finally:
        os.sched_setaffinity(0, processors)
    assert stretch(samples, began, time.monotonic()) > 1.5


def test_a_red_flag_that_waited_is_measured_against_its_own_time_alone():
    tenant = Tenant(Client(0, ""), Client(0, ""))
    history = History("waits", [tenant])
    lookout = Lookout(history)
    lookout.contention.samples = [*CALM, *BUSY]
    for number, (taken, seen) in enumerate(((0.05, 0.35), (1.05, 1.35))):
        sent = history.add(case_for("urgent"))
        sent.intake, sent.taken_at, sent.outcome = str(number), taken, "ok"
        lookout.seen[str(number)] = seen
    assert lookout.slowest() == pytest.approx(0.3)
    assert lookout.slowest_by_itself() == pytest.approx(0.3)
    assert lookout.slowest_by_itself(since=1.05) == pytest.approx(0.3 / 4)
