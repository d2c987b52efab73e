"""The life of a referral: its queues, priorities and statuses, which step may follow which, and when it is due."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args

from shared.clinical.referral.targets import Targets

Queue = Literal["urgent", "neurology", "orthopedics", "clinical_review"]
Priority = Literal["emergency", "urgent", "prompt", "routine"]
Status = Literal["queued", "acknowledged", "completed", "returned", "superseded"]
Action = Literal[
    "acknowledge",
    "complete",
    "reroute",
    "return",
    "release",
    "contacted",
    "take-over",
    "answer",
    "confirm-downgrade",
]
Contact = Literal["reached", "no_answer", "left_message", "not_needed"]

QUEUES: tuple[Queue, ...] = get_args(Queue)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)  # most urgent first
STATUSES: tuple[Status, ...] = get_args(Status)
CONTACTS: tuple[Contact, ...] = get_args(Contact)
CONTACT_ENDINGS: tuple[Contact, ...] = ("reached", "not_needed")  # these end the clock of the contact
OPEN_STATUSES: tuple[Status, ...] = ("queued", "acknowledged")

# For each action the statuses it may start from, and where it leads. What is not here is forbidden.
TRANSITIONS: Mapping[Action, Mapping[Status, Status]] = {
    "acknowledge": {"queued": "acknowledged"},
    "complete": {"acknowledged": "completed"},
    "reroute": {"queued": "queued", "acknowledged": "queued"},
    "return": {"queued": "returned", "acknowledged": "returned"},
    "release": {"acknowledged": "queued"},
    "contacted": {"queued": "queued", "acknowledged": "acknowledged"},
    "take-over": {"acknowledged": "acknowledged"},
    "answer": {"queued": "superseded", "acknowledged": "superseded"},
    "confirm-downgrade": {"queued": "queued", "acknowledged": "queued"},
}

_SATURDAY = 5


class TransitionRefused(Exception):  # noqa: N818 - it is an answer, not a mistake of the program
    """An action that the present status does not allow."""

    def __init__(self, action: Action, status: Status) -> None:
        """Keep what was asked, and in which status."""
        self.action = action
        self.status = status
        super().__init__(f"{action} is not possible while the referral is {status}")


@dataclass(frozen=True, slots=True)
class Escalation:
    """One rung of the ladder for one referral: done at `due` if nobody has acknowledged by then. Levels start at 1."""

    level: int
    due: datetime
    action: str


def after(action: Action, status: Status) -> Status:
    """Return the status to which `action` leads; raises `TransitionRefused`."""
    try:
        return TRANSITIONS[action][status]
    except KeyError:
        raise TransitionRefused(action, status) from None


def acknowledge_by(
    priority: Priority, received_at: datetime, targets: Targets, *, holidays: Collection[date] = ()
) -> datetime:
    """Return by when a person has to acknowledge, in UTC, counted from receipt (part 6.1).

    Emergency and urgent count minutes of any day. The others count working days of 24 hours, Monday to Friday less
    `holidays`; the clock is stopped in between.
    """
    target = targets.classes[priority]
    if target.acknowledge_minutes is not None:
        return received_at.astimezone(UTC) + timedelta(minutes=target.acknowledge_minutes)
    days = target.acknowledge_working_days or 0
    return _working_time_after(received_at.astimezone(UTC), timedelta(days=days), holidays)


def next_escalation(
    priority: Priority, clock_started_at: datetime, targets: Targets, *, level: int = 0
) -> Escalation | None:
    """Return the rung that follows `level`, the last one that was climbed; None above the highest."""
    return next(iter(escalations(priority, clock_started_at, targets)[level:]), None)


def escalations(priority: Priority, received_at: datetime, targets: Targets) -> tuple[Escalation, ...]:
    """Return the ladder of a referral, first rung first; prompt and routine have none."""
    start = received_at.astimezone(UTC)
    return tuple(
        Escalation(level, start + timedelta(minutes=rung.after_minutes), rung.action)
        for level, rung in enumerate(targets.classes[priority].ladder, start=1)
    )


def first_rung_after(priority: Priority, targets: Targets) -> timedelta | None:
    """Return how long the clock runs until the first rung is due; None for a priority without a ladder."""
    ladder = targets.classes[priority].ladder
    return timedelta(minutes=ladder[0].after_minutes) if ladder else None


def _working_time_after(moment: datetime, left: timedelta, holidays: Collection[date]) -> datetime:
    while True:
        midnight = datetime.combine(moment.date() + timedelta(days=1), time(), UTC)
        if moment.weekday() < _SATURDAY and moment.date() not in holidays:
            if left <= midnight - moment:
                return moment + left
            left -= midnight - moment
        moment = midnight
