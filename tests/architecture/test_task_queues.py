"""Each task queue is consumed by exactly one compose service, each task is registered."""

from pathlib import Path

import pytest
import yaml

from services.worker.app import create_worker
from services.worker.main import worker_command
from shared.task_queues import LANES, TRIAGE_TASK, triage_queue

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())["services"]
WORKER_OF = {"urgent": "priority", "routine": "routine"}


def consumed(service):
    """Return the task queues that a compose service consumes: what its command makes Celery consume."""
    command = COMPOSE[service].get("command") or []
    words = command.split() if isinstance(command, str) else command
    if "worker" not in words:
        return []
    celery = worker_command(WORKER_OF[words[-1]])
    return [option.partition("=")[2] for option in celery if option.startswith("--queues=")]


def test_every_task_queue_has_one_service_and_no_service_has_another_queue():
    queues = [queue for service in COMPOSE for queue in consumed(service)]
    assert sorted(queues) == sorted(triage_queue(lane) for lane in LANES)


def test_red_flags_have_a_process_that_consumes_nothing_else():
    assert consumed("worker-urgent") == ["triage.priority"]


@pytest.mark.parametrize("lane", LANES)
def test_the_worker_knows_the_queue_and_the_task(settings, lane):
    app = create_worker(settings)
    assert triage_queue(lane) in {queue.name for queue in app.conf.task_queues}
    assert TRIAGE_TASK in app.tasks
