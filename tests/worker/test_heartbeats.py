"""What a worker says of itself: a row while it is at work, and numbers that outlive its processes."""

import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import closing
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, insert, select, update

from services.worker.watchman.watchman import Watchman
from shared.monitoring.periodic import process_heartbeat, start_periodic
from shared.platform.metrics import RESERVED_BYTES, metrics_registry
from shared.platform.task_queues import triage_wake_up
from shared.store.operations.heartbeats import FRESH, role_heartbeats
from shared.tables import Heartbeat
from tests.worker.test_celery import announcer, children, eventually, referrals, running

__all__ = ["announcer", "referrals"]  # fixtures

RED = {"bladder_change": "new_or_worse"}
COUNT = "from shared.platform.metrics import *; write_metrics_to(Path({folder!r})); "
COUNT += "DECISIONS.labels('urgent', 'urgent').inc()"


def counted(folder, name, **labels) -> float:
    return metrics_registry(folder).get_sample_value(name, labels) or 0.0


def count_once(folder, then: str = "") -> subprocess.Popen:
    code = COUNT.format(folder=str(folder)) + then
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def test_each_process_counts_on_where_the_one_before_ended(tmp_path):
    for _ in range(3):
        with count_once(tmp_path) as process:
            assert process.wait(20) == 0
    assert counted(tmp_path, "psoas_decisions_total", queue="urgent", priority="urgent") == 3
    assert len(list(tmp_path.glob("counter_*.db"))) == 1


def test_processes_at_once_count_apart_and_add_up(tmp_path):
    stay = "; print('counted', flush=True); input()"
    crowd = [count_once(tmp_path, stay) for _ in range(4)]
    for process in crowd:
        assert process.stdout.readline() == "counted\n"
    assert counted(tmp_path, "psoas_decisions_total", queue="urgent", priority="urgent") == 4
    files = list(tmp_path.glob("*.db"))
    assert {file.stat().st_blocks * 512 >= RESERVED_BYTES for file in files} == {True}
    for process in crowd:
        with process:
            process.kill()
    with count_once(tmp_path) as process:
        assert process.wait(20) == 0
    assert counted(tmp_path, "psoas_decisions_total", queue="urgent", priority="urgent") == 5
    assert sorted(tmp_path.glob("*.db")) == sorted(files)


def test_where_there_is_no_room_it_works_without_others_seeing_it(tmp_path):
    (tmp_path / "file").touch()
    with count_once(tmp_path / "file") as process:
        assert process.wait(20) == 0


@pytest.fixture
def port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_a_worker_answers_prometheus_and_its_children_may_die(
    environment, tmp_path, port, intake, announcer, referrals
):
    environment |= {"METRICS_DIR": str(tmp_path), "METRICS_PORT": str(port)}

    def shown(name: str, **labels: str) -> float:
        with closing(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)) as answer:
            families = text_string_to_metric_families(answer.read().decode())
            samples = (sample for family in families for sample in family.samples)
            return sum(each.value for each in samples if each.name == name and each.labels == labels)

    with running("urgent", environment) as worker:
        for round_ in (1, 2):
            intake(symptoms=RED)
            eventually(lambda: announcer.announce(triage_wake_up("priority")) or referrals() == round_)  # noqa: B023
            eventually(lambda: shown("psoas_routing_seconds_count", lane="priority") == round_)  # noqa: B023
            for sandbox in children(worker):
                sandbox.send_signal(signal.SIGKILL)
        assert shown("psoas_failures_total", step="triage") == 0
        assert len(list(tmp_path.glob("counter_*.db"))) == 1


def beats(sessions) -> dict[str, int]:
    with sessions() as session:
        return {role: state.at_work for role, state in role_heartbeats(session).items()}


def test_a_worker_has_a_row_while_it_is_at_work(environment, sessions):
    with running("urgent", environment):
        eventually(lambda: beats(sessions) == {"worker-urgent": 1})
    with sessions.begin() as session:
        session.execute(update(Heartbeat).values(beat_at=func.now() - FRESH - timedelta(seconds=1)))
    assert beats(sessions) == {"worker-urgent": 0}


def test_a_heart_that_beats_twice_has_one_row(settings, sessions):
    say = process_heartbeat(settings, "api")
    say()
    say()
    with sessions() as session:
        (row,) = session.scalars(select(Heartbeat))
    assert row.beat_at > row.started_at


def test_a_chore_that_fails_is_tried_again_and_holds_up_no_other():
    done = threading.Semaphore(0)

    def failing():
        raise OSError

    stop = start_periodic([failing, done.release], every=0.01)
    assert all(done.acquire(timeout=10) for _ in range(3))
    stop.set()


def test_a_row_is_forgotten_after_a_day(sessions, triager):
    with sessions.begin() as session:
        for hours in (1, 25):
            row = {"process": str(hours), "role": "api", "version": "1"}
            at = func.now() - func.make_interval(0, 0, 0, 0, hours)
            session.execute(insert(Heartbeat).values(**row, beat_at=at))
    Watchman(triager).clean_up()
    Watchman(triager).clean_up()
    with sessions() as session:
        assert session.scalars(select(Heartbeat.process)).all() == ["1"]
