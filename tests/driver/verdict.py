"""What has to be true after a load, whatever happened during it, seen over HTTP alone."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .client import QUEUES, Answer
from .load import SETTLING, History, Sent, Tenant

READERS = 8

# What each event makes of a referral's status; None is before the first.
FOLLOWS: Mapping[str, Mapping[str | None, str]] = {
    "referral.queued": {None: "queued"},
    "referral.acknowledged": {"queued": "acknowledged"},
    "referral.escalated": {"queued": "queued"},
    "referral.completed": {"acknowledged": "completed"},
    "referral.released": {"acknowledged": "queued"},
    "referral.returned": {"queued": "returned", "acknowledged": "returned"},
    "referral.rerouted": {"queued": "queued", "acknowledged": "queued"},
}


@dataclass(frozen=True)
class Verdict:
    """What became of a load: counts of forms, and whatever should not be, in words."""

    accepted: int
    routed: int
    lost: int
    doubled: int
    faults: list[str]


def verdict(history: History) -> Verdict:
    """Send what is unknown again, wait until all is routed, at most the settling time, and look at everything."""
    history.retry()
    accepted = [sent for sent in history.sent if sent.outcome == "ok"]
    found = wait_until_routed(history, accepted)
    places = Counter(found)
    expected = [(sent.mrn, sent.intake, sent.case.expected["queue"]) for sent in accepted]
    lost = [entry for entry in expected if entry not in places]
    surplus = [entry for entry, count in (places - Counter(expected)).items() for _ in range(count)]
    refused = [sent.answers[-1] for sent in history.sent if sent.outcome == "refused"]
    keys = Counter(sent.intake for sent in accepted)
    faults = [
        *said("refused", refused),
        *said("not routed where they belong", lost),
        *said("routed twice, elsewhere or from nowhere", surplus),
        *said("intakes of two keys", [intake for intake, count in keys.items() if count > 1]),
        *said("wrong when read again", everyone(unfaithful, accepted)),
    ]
    return Verdict(len(accepted), len(expected) - len(lost), len(lost), len(surplus), faults)


def assert_each_routed_once(history: History) -> None:
    """Accepted = routed, each once and where it belongs."""
    faults = verdict(history).faults
    assert faults == [], faults


def wait_until_routed(history: History, accepted: list[Sent]) -> list[tuple[str, str, str]]:
    """Return every referral in any worklist, as (record number, intake, queue), once each accepted intake has one."""
    deadline = time.monotonic() + SETTLING
    awaited = {sent.intake for sent in accepted}
    while True:
        found = [route for routes in everyone(routes_of(history), used(history)) for route in routes]
        if awaited <= {intake for _, intake, _ in found} or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def used(history: History) -> list[Tenant]:
    return list(dict.fromkeys(sent.tenant for sent in history.sent))


def routes_of(history: History) -> Callable[[Tenant], list[tuple[str, str, str]]]:
    """Return what lists a tenant's referrals; those that are none of ours only where the tenant is our own."""
    ours = {sent.mrn for sent in history.sent}

    def routes(tenant: Tenant) -> list[tuple[str, str, str]]:
        return [
            (referral["patient"]["mrn"], referral["intake_id"], queue)
            for queue in QUEUES
            for referral in tenant.department.worklist(queue)
            if tenant.own or referral["patient"]["mrn"] in ours
        ]

    return routes


def unfaithful(sent: Sent) -> str | None:
    """Say what is wrong with an accepted intake and its referral, each read by its link; None where all is well."""
    intake = sent.tenant.hospital.get(f"/v1/intakes/{sent.intake}")
    if (intake["status"], bool(intake["referral"])) != ("triaged", True):
        return f"{sent.key} is {intake['status']}"
    if intake["referral"]["queue"] != sent.case.expected["queue"]:
        return f"{sent.key} is in {intake['referral']['queue']}"
    sent.events = sent.tenant.department.get(f"{intake['referral']['links']['self']}/events")["events"]
    return broken(sent.key, sent.events, intake["referral"]["status"])


def broken(key: str, events: Iterable[Mapping[str, Any]], status: str) -> str | None:
    """Say where a timeline breaks or ends in another status."""
    now: str | None = None
    for event in events:
        if event["type"].startswith("delivery."):
            continue
        try:
            now = FOLLOWS[event["type"]][now]
        except KeyError:
            return f"{key}: {event['type']} while {now}"
    return None if now == status else f"{key} is {status}, and by its timeline {now}"


def everyone(look: Callable[[Any], Any], many: Iterable[Any]) -> list[Any]:
    """Return what each look says, leaving out None."""
    with ThreadPoolExecutor(READERS) as readers:
        return [result for result in readers.map(look, many) if result is not None]


def said(what: str, entries: list[Any]) -> list[str]:
    """Return nothing, or one line that counts and shows a few."""
    return [f"{len(entries)} {what}: {entries[:3]}"] if entries else []


def ill_answered(history: History, allowed: Iterable[int]) -> list[str]:
    """Say which answers had a status that is not allowed, and which took longer than was promised."""
    statuses = {answer.status for answer in history.answers()} - set(allowed)
    tries = [(took, answer) for sent in history.sent for took, answer in zip(sent.took, sent.answers, strict=True)]
    slow = [round(took, 1) for took, _ in tries if took > 10]
    late = [
        round(took, 1) for took, answer in tries if isinstance(answer, Answer) and answer.status == 503 and took > 5
    ]
    return [
        *said("statuses not allowed", sorted(statuses)),
        *said("over 10 s", slow),
        *said("503 only after 5 s", late),
    ]
