"""Builds what Prometheus reads: the counters of all processes, and the status of the database just now."""

import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import QUEUES
from shared.monitoring.disk_level import DISK_LEVELS, DiskMonitor
from shared.monitoring.periodic import ROLES
from shared.platform import clock
from shared.platform.database import Sessions
from shared.platform.metrics import metrics_registry
from shared.platform.settings import Settings
from shared.platform.task_queues import LANES
from shared.store.operations.audit import RECENT, findings
from shared.store.operations.status_snapshot import (
    FACILITY,
    TEST_FACILITY,
    DeliveryStatus,
    LaneStatus,
    StatusSnapshot,
    status_snapshot,
)
from shared.store.queues import QueueStatus

if TYPE_CHECKING:  # it loads a parser, which those that deliver have no use for
    from shared.clinical.protocol import Protocol

AUDIT_SECONDS = 60.0  # it looks at more rows than everything else together
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class StatusCollector(Collector):
    """Asks the database whenever it is read; if that is unavailable, says so and nothing else."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._audited_at = -AUDIT_SECONDS
        self._audited: dict[str, int] = {}

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges of this moment."""
        try:
            with self._sessions() as session:
                now = status_snapshot(session)
                self._audit(session)
        except SQLAlchemyError:
            yield GaugeMetricFamily("psoas_database_up", "Whether the database answers.", 0)
            return
        yield GaugeMetricFamily("psoas_database_up", "Whether the database answers.", 1)
        yield GaugeMetricFamily("psoas_database_bytes", "Size of the database on its disk.", now.database_bytes)
        yield GaugeMetricFamily("psoas_events_unnumbered", "Events that no reader has seen yet.", now.unnumbered)
        yield from _of_queues("psoas_referrals", now.queues)
        yield from _of_queues("psoas_test_referrals", now.tests)
        yield from _of_lanes(now)
        yield from _of_deliveries(now)
        yield from _of_roles(now)
        ended = {queue: now.ladders_ended.get(queue, 0) for queue in QUEUES}
        yield _gauge("psoas_ladders_ended", "Referrals that nobody acknowledged up to the last rung.", "queue", ended)
        yield GaugeMetricFamily("psoas_keys_expiring", "Keys that expire within thirty days.", now.keys_expiring)
        yield _gauge("psoas_audit_findings", "Rows that should not be there.", "check", self._audited)

    def _audit(self, session: Session) -> None:
        if time.monotonic() - self._audited_at >= AUDIT_SECONDS:
            self._audited = findings(session, since=clock.now() - RECENT)
            self._audited_at = time.monotonic()


class DiskCollector(Collector):
    """Says how much room the database has left, as this process saw it last."""

    def __init__(self, disk: DiskMonitor) -> None:
        self._disk = disk

    def collect(self) -> Iterator[Metric]:
        """Yield one gauge: 0 enough, 1 low (routine forms are refused), 2 none (all forms are)."""
        level = DISK_LEVELS.index(self._disk.level)
        yield GaugeMetricFamily("psoas_storage_low", "0 enough, 1 low, 2 none: forms are refused.", level)


class BuildCollector(Collector):
    """Says which version of the service runs, and by which protocol it decides, where it decides."""

    def __init__(self, protocol: "Protocol | None") -> None:
        self._protocol = (protocol.name, protocol.version, protocol.digest) if protocol else ("", "", "")

    def collect(self) -> Iterator[Metric]:
        """Yield one gauge that is always 1."""
        names = ("version", "protocol", "protocol_version", "protocol_digest")
        build = GaugeMetricFamily("psoas_build_info", "The version that runs, and its protocol.", labels=names)
        build.add_metric((version("psoas"), *self._protocol), 1)
        yield build


def create_registry(
    settings: Settings, protocol: "Protocol | None", sessions: Sessions | None = None, disk: DiskMonitor | None = None
) -> CollectorRegistry:
    """Return what there is to read: counters, with `sessions` the status of everything, with `disk` the room left."""
    registry = metrics_registry(settings.metrics_dir)
    registry.register(BuildCollector(protocol))
    if sessions:
        registry.register(StatusCollector(sessions))
    if disk:
        registry.register(DiskCollector(disk))
    return registry


def exposition(registry: CollectorRegistry) -> bytes:
    """Return what `registry` holds now as text for Prometheus, of the type CONTENT_TYPE."""
    return generate_latest(registry)


def _gauge(name: str, says: str, label: str, values: Mapping[Any, float]) -> Metric:
    gauge = GaugeMetricFamily(name, says, labels=[label])
    for of, value in values.items():
        gauge.add_metric([of], value)
    return gauge


def _of_queues(prefix: str, queues: Mapping[str, QueueStatus]) -> Iterator[Metric]:
    found = {queue: queues.get(queue, QueueStatus()) for queue in QUEUES}
    for name, says, values in (
        ("open", "Referrals in no end state.", {queue: state.open for queue, state in found.items()}),
        ("unacknowledged", "Open referrals that nobody has.", {q: state.unacknowledged for q, state in found.items()}),
        ("overdue", "Unacknowledged after their time.", {queue: state.overdue for queue, state in found.items()}),
        (
            "oldest_age_seconds",
            "Age of the oldest open referral.",
            {queue: state.oldest_age_seconds or 0 for queue, state in found.items()},
        ),
    ):
        yield _gauge(f"{prefix}_{name}", says, "queue", values)


def _of_lanes(now: StatusSnapshot) -> Iterator[Metric]:
    found = {lane: now.lanes.get(lane, LaneStatus()) for lane in LANES}
    waiting = {lane: state.waiting for lane, state in found.items()}
    yield _gauge("psoas_intakes_waiting", "Forms that wait for triage.", "lane", waiting)
    ages = {lane: state.oldest_age_seconds for lane, state in found.items()}
    yield _gauge("psoas_intakes_waiting_oldest_seconds", "How long the oldest of them has waited.", "lane", ages)


def _of_deliveries(now: StatusSnapshot) -> Iterator[Metric]:
    heard = (*QUEUES, FACILITY, TEST_FACILITY)
    found = {queue: now.deliveries.get(queue, DeliveryStatus()) for queue in heard}
    due = {queue: state.due for queue, state in found.items()}
    yield _gauge("psoas_deliveries_due", "Deliveries that have not arrived yet.", "queue", due)
    ages = {queue: state.oldest_due_seconds for queue, state in found.items()}
    yield _gauge("psoas_deliveries_oldest_due_seconds", "Age of the oldest of them.", "queue", ages)
    parked = {queue: state.parked for queue, state in found.items()}
    yield _gauge("psoas_deliveries_parked", "Deliveries that wait for a person.", "queue", parked)
    disabled = {queue: now.disabled.get(queue, 0) for queue in heard}
    yield _gauge("psoas_destinations_disabled", "Destinations that take nothing any more.", "queue", disabled)


def _of_roles(now: StatusSnapshot) -> Iterator[Metric]:
    at_work = dict.fromkeys(ROLES, 0) | {role: state.at_work for role, state in now.roles.items()}
    yield _gauge("psoas_processes", "Processes that say that they are at work.", "role", at_work)
    ages = {role: state.age_seconds for role, state in now.roles.items()}
    yield _gauge("psoas_heartbeat_age_seconds", "Since the latest heartbeat of a role.", "role", ages)
