"""The life of a referral: its queues, priorities and statuses, and which step may follow which."""

from typing import Literal, get_args

Queue = Literal["urgent", "neurology", "orthopedics", "clinical_review"]
Priority = Literal["emergency", "urgent", "prompt", "routine"]
Status = Literal["queued", "acknowledged", "completed", "returned", "superseded"]

QUEUES: tuple[Queue, ...] = get_args(Queue)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)  # most urgent first
STATUSES: tuple[Status, ...] = get_args(Status)
OPEN_STATUSES: tuple[Status, ...] = ("queued", "acknowledged")
