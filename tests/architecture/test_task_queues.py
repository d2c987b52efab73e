"""Each task queue is consumed by exactly one compose service, each task is registered."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from services.worker.delivery.app import create_delivery_worker
from services.worker.main import worker_options
from services.worker.triage.app import create_worker
from shared.platform.task_queues import DELIVER_TASK, DELIVERY_QUEUES, LANES, TRIAGE_TASK, triage_queue

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())["services"]


def consumed(service):
    """Return the task queues that a compose service consumes: what its command makes Celery consume."""
    command = COMPOSE[service].get("command") or []
    words = command.split() if isinstance(command, str) else command
    if "worker" not in words:
        return []
    return worker_options(words[-1])["queues"]


def test_every_task_queue_has_one_service_and_no_service_has_another_queue():
    queues = [queue for service in COMPOSE for queue in consumed(service)]
    assert sorted(queues) == sorted((*DELIVERY_QUEUES, *map(triage_queue, LANES)))


def test_red_flags_have_a_process_that_consumes_nothing_else():
    assert consumed("worker-urgent") == ["triage.priority"]
    assert consumed("worker-urgent-delivery") == ["urgent"]


@pytest.mark.parametrize("lane", LANES)
def test_the_worker_knows_the_queue_and_the_task(settings, lane):
    app = create_worker(settings)
    assert triage_queue(lane) in {queue.name for queue in app.conf.task_queues}
    assert TRIAGE_TASK in app.tasks


@pytest.mark.parametrize("queue", DELIVERY_QUEUES)
def test_the_delivery_worker_knows_the_queue_and_the_task(settings, queue):
    app = create_delivery_worker(settings)
    assert queue in {queue.name for queue in app.conf.task_queues}
    assert DELIVER_TASK in app.tasks


@pytest.mark.parametrize(
    ("entry", "never"), [("services.worker.triage.app", "httpcore"), ("services.worker.delivery.app", "lark")]
)
def test_a_worker_loads_nothing_of_the_others_trade(entry, never):
    code = f"import sys, {entry}; sys.exit({never!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
