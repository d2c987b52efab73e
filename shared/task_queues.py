"""What API and workers agree on: the lanes, the Celery task queues and the tasks, by name."""

from typing import Literal, get_args

Lane = Literal["priority", "routine"]
LANES: tuple[Lane, ...] = get_args(Lane)

TRIAGE_TASK = "triage_waiting"


def triage_queue(lane: Lane) -> str:
    """Return the task queue on which a lane's "look again" messages travel."""
    return f"triage.{lane}"
