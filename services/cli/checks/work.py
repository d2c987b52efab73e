"""Checks the work for `referrals doctor`: processes at work, stalled work, and destinations."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.cli.checks.findings import Finding, found
from shared.clinical.protocol import Protocol
from shared.clinical.referral.lifecycle import QUEUES
from shared.monitoring.periodic import ROLES
from shared.platform import clock
from shared.platform.task_queues import LANES, Lane
from shared.protocols import ACTIVE
from shared.protocols.releases import digests
from shared.store.operations.audit import RECENT, findings
from shared.store.operations.status_snapshot import LaneStatus, StatusSnapshot
from shared.tables import Destination

MAX_WAIT_SECONDS: dict[Lane, float] = {"priority": 5, "routine": 300}
MAX_DELIVERY_SECONDS = 600
MAX_UNNUMBERED = 1000  # events; each is numbered within a second


def check_work(now: StatusSnapshot) -> Iterator[Finding]:
    """Yield stalled work, and the roles whose heartbeats are missing."""
    for role in ROLES:
        state = now.roles.get(role)
        says = f"{state.at_work} at work, the last heartbeat {state.age_seconds:.0f} s ago" if state else "no heartbeat"
        yield found(f"process {role}", bool(state and state.at_work), says, f"start {role}, or look into its log")
    for lane in LANES:
        waiting = now.lanes.get(lane, LaneStatus())
        says = f"{waiting.waiting} waiting, the oldest for {waiting.oldest_age_seconds:.0f} s"
        well = waiting.oldest_age_seconds <= MAX_WAIT_SECONDS[lane]
        yield found(f"lane {lane}", well, says, "see whether its worker and the watchman are at work")
    overdue = {queue: state.overdue for queue, state in now.queues.items() if state.overdue}
    yield _none("overdue referrals", overdue, "call the department: nobody has acknowledged them in time")
    parked = {queue: state.parked for queue, state in now.deliveries.items() if state.parked}
    yield _none("parked deliveries", parked, "referrals parked list")
    late = {
        queue: state.due for queue, state in now.deliveries.items() if state.oldest_due_seconds > MAX_DELIVERY_SECONDS
    }
    yield _none("late deliveries", late, "see whether the destination answers, and its worker is at work")
    yield _none("disabled destinations", dict(now.disabled), "referrals destinations list")


def check_destinations(session: Session, protocol: Protocol) -> Iterator[Finding]:
    """Yield who hears of nothing: queues and rungs of the ladder without a destination."""
    active = session.execute(
        select(Destination.queue, Destination.escalation_level).where(Destination.status == "active").distinct()
    ).all()
    missing = [queue for queue in QUEUES if (queue, 0) not in active]
    says = f"none for {', '.join(missing)}" if missing else "every queue has one"
    do = "referrals destinations set QUEUE URL, unless the department only reads its worklist"
    yield found("destinations", not missing, says, do, otherwise="warn")
    rungs = range(1, max(len(target.ladder) for target in protocol.targets.classes.values()) + 1)
    unheard = [str(rung) for rung in rungs if not any(level == rung for _, level in active)]
    says = f"no destination for level {', '.join(unheard)}" if unheard else "every level has a destination"
    do = "referrals destinations set QUEUE URL --escalation LEVEL"
    yield found("escalation", not unheard, says, do, otherwise="warn")


def check_consistency(session: Session, now: StatusSnapshot) -> Iterator[Finding]:
    """Yield whether recent rows contradict each other, and whether readers of events see what happened."""
    wrong = {check: count for check, count in findings(session, since=clock.now() - RECENT).items() if count}
    says = ", ".join(f"{check} {count}" for check, count in wrong.items()) or "nothing found in the last minutes"
    yield found("audit", not wrong, says, "referrals audit")
    do = "see whether the watchman is at work: it numbers them"
    yield found("events", now.unnumbered < MAX_UNNUMBERED, f"{now.unnumbered} without a number", do, otherwise="warn")


def check_protocol(protocol: Protocol) -> Finding:
    """Return whether the protocol is a released one; one that differs from its release is not even loaded."""
    released = digests(ACTIVE.parent).get(protocol.version) == protocol.digest
    says = f"{protocol.name} {protocol.version}, {protocol.digest[:19]}"
    return found("protocol", released, says, "release it: docs/rules.md", otherwise="warn")


def _none(check: str, by_queue: dict[str, int], do: str) -> Finding:
    says = ", ".join(f"{count} in {queue}" for queue, count in by_queue.items()) or "none"
    return found(check, not by_queue, says, do, otherwise="warn")
