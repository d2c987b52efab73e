"""Defines what processes count and time; the state of the database is queried when Prometheus asks.

Labels come from short lists: lanes, queues, rules, routes. Nothing here names a case or a person, and every metric has
a label, so that its numbers are made when they are first needed: after the process has chosen where it counts.
"""

import fcntl
import os
from itertools import count
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

log = structlog.get_logger(__name__)

SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds; within one process
LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3600.0)  # seconds; with a wait in between

REQUESTS = Counter("psoas_requests", "Requests answered.", ["route", "status"], registry=None)
INTAKE_SECONDS = Histogram(
    "psoas_intake_seconds",
    "From a posted form to its answer, without the wait that a sender asked for.",
    ["outcome"],  # accepted, replayed, refused, unavailable
    buckets=SHORT,
    registry=None,
)
TRIAGE_SECONDS = Histogram(
    "psoas_triage_seconds", "How long one batch took to triage.", ["lane"], buckets=SHORT, registry=None
)
ROUTING_SECONDS = Histogram(
    "psoas_routing_seconds",
    "From the receipt of a form to its referral.",
    ["lane"],
    buckets=LONG,
    registry=None,
)
DECISIONS = Counter("psoas_decisions", "Referrals made by triage.", ["queue", "priority"], registry=None)
RULES_FIRED = Counter("psoas_rules_fired", "Decisions that a rule was a reason of.", ["rule"], registry=None)
DELIVERY_SECONDS = Histogram(
    "psoas_delivery_seconds",
    "How long one attempt to deliver took.",
    ["outcome"],  # delivered, again, parked, gone
    buckets=SHORT,
    registry=None,
)
FAILURES = Counter("psoas_failures", "Failures that something else made good.", ["step"], registry=None)

METRICS = (
    REQUESTS,
    INTAKE_SECONDS,
    TRIAGE_SECONDS,
    ROUTING_SECONDS,
    DECISIONS,
    RULES_FIRED,
    DELIVERY_SECONDS,
    FAILURES,
)
# A form whose first look failed, triage that failed, a message not published, an identity or words that did not open,
# guessing.
STEPS = ("screen", "triage", "announce", "identity", "text", "guessing")

# Taken from the file system when a process begins to count: in a memory map, a full disk is the end of the process.
RESERVED_BYTES = 262_144


def write_metrics_to(folder: Path | None) -> None:
    """Count in files in `folder` from now on, so that others can read it; once in each process, after any fork.

    Each process has a slot: files that no other process writes, under a lock. The next process in the slot goes on with
    the numbers that it finds there: nothing is lost when a process ends, and there are no more files than processes.
    Without a folder, or if it cannot be used, the process counts for itself.
    """
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        slot = _lock_slot(folder)
    except OSError as error:
        log.warning("metrics.no_slot", error=type(error).__name__)
        return
    for metric in METRICS:
        metric.clear()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # the library reads it whenever it opens a file
    values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
    for step in STEPS:
        FAILURES.labels(step)  # a failure that has never happened is a zero, so that the first one shows as a rise


def metrics_registry(folder: Path | None) -> CollectorRegistry:
    """Return what has been counted in `folder` by all processes, or without one by this process."""
    registry = CollectorRegistry()
    if folder is None:
        for metric in METRICS:
            registry.register(metric)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return registry


def _lock_slot(folder: Path) -> str:
    for number in count():
        lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process has ended
        except BlockingIOError:
            os.close(lock)
            continue
        for kind in ("counter", "histogram"):
            _reserve(folder / f"{kind}_{number}.db")
        return str(number)
    raise AssertionError


def _reserve(file: Path) -> None:
    with file.open("ab") as opened:
        if opened.tell() < RESERVED_BYTES:
            os.posix_fallocate(opened.fileno(), 0, RESERVED_BYTES)
