"""Health of the service: processes, lanes, deliveries, database and broker, each with its age."""

from dataclasses import dataclass

from flask import render_template

from services.api.console import words
from services.api.console.blueprint import blueprint
from services.api.context import current_context
from services.api.http.auth import allow
from services.api.referrals.worklists import LABELS
from shared.clinical.referral.lifecycle import QUEUES
from shared.monitoring.periodic import ROLES
from shared.platform.task_queues import LANES
from shared.store.operations.status_snapshot import DeliveryStatus, LaneStatus, StatusSnapshot, status_snapshot

MAX_WAIT_SECONDS = {"priority": 5.0, "routine": 300.0}
MAX_DELIVERY_SECONDS = 600.0
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, whether it is well, and what was found."""

    name: str
    well: bool
    says: str


@blueprint.get("/health")
@allow("operator", "auditor", "admin")
def health() -> str:
    """Show how every part of the service stands."""
    with current_context().sessions() as session:
        now = status_snapshot(session)
    groups = (
        ("Processes", [_process(role, now) for role in ROLES]),
        ("Forms that wait for triage", [_lane(lane, now.lanes.get(lane, LaneStatus())) for lane in LANES]),
        ("Deliveries", [_deliveries(queue, now.deliveries.get(queue, DeliveryStatus())) for queue in QUEUES]),
        ("Servers", _servers(now)),
    )
    return render_template("console/health.html", groups=groups)


def _process(role: str, now: StatusSnapshot) -> Check:
    state = now.roles.get(role)
    if state is None:
        return Check(role, False, "no heartbeat")
    age = f"last heartbeat {state.age_seconds:.0f} s ago"
    return Check(role, state.at_work > 0, f"{state.at_work} running, {age}")


def _lane(lane: str, state: LaneStatus) -> Check:
    if not state.waiting:
        return Check(f"{lane} lane", True, "none")
    well = state.oldest_age_seconds <= MAX_WAIT_SECONDS[lane]
    return Check(f"{lane} lane", well, f"{state.waiting}, the oldest for {words.duration(state.oldest_age_seconds)}")


def _deliveries(queue: str, state: DeliveryStatus) -> Check:
    well = not state.parked and state.oldest_due_seconds <= MAX_DELIVERY_SECONDS
    oldest = f", the oldest for {words.duration(state.oldest_due_seconds)}" if state.due else ""
    return Check(LABELS[queue], well, f"{state.due} due{oldest}; {state.parked} parked")


def _servers(now: StatusSnapshot) -> list[Check]:
    broker = current_context().broker_answers()
    level = current_context().admission.disk.level
    return [
        Check("Database", True, f"answers, {now.database_bytes / MEBIBYTE:.0f} MiB"),
        Check("Storage", level == "enough", f"{level}"),
        Check(
            "Broker", broker, "answers" if broker else "does not answer: red flags are still routed, by the watchman"
        ),
        Check("Event numbers", now.unnumbered < 1000, f"{now.unnumbered} events without a number"),
    ]
