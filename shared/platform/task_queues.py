"""Names what API and workers agree on: lanes, Celery task queues and tasks."""

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from shared.clinical.referral.lifecycle import QUEUES

Lane = Literal["priority", "routine"]
LANES: tuple[Lane, ...] = get_args(Lane)

TRIAGE_TASK = "triage_waiting"
DELIVER_TASK = "deliver"
DELIVERY_QUEUES: tuple[str, ...] = QUEUES  # a delivery travels on the task queue named after the referral's queue
FACILITY_DELIVERIES = "clinical_review"  # on which those to a facility's own system travel: none of them is urgent


@dataclass(frozen=True, slots=True)
class WakeUp:
    """A message: the task that should look at what `argument`, a lane or an id, stands for, and its task queue."""

    task: str
    queue: str
    argument: str


def triage_queue(lane: Lane) -> str:
    """Return the task queue on which a lane's wake-ups travel."""
    return f"triage.{lane}"


def triage_wake_up(lane: Lane) -> WakeUp:
    """Return the message that a lane has work."""
    return WakeUp(TRIAGE_TASK, triage_queue(lane), lane)


def delivery_wake_up(delivery_id: UUID, queue: str) -> WakeUp:
    """Return the message that a delivery is due."""
    return WakeUp(DELIVER_TASK, queue, str(delivery_id))
