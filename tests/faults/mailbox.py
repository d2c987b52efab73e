"""Departments' own systems: one that always behaves, and a neighbour that misbehaves as a fault says.

Each hears of all four queues. In the end both have everything that was due to them, under one id, and nothing else.
"""

import base64
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace

from sqlalchemy.orm import Session

from shared.platform.crypto import IdentityCipher
from shared.store.delivery import destinations
from shared.store.delivery.destinations import Place
from tests.driver.client import QUEUES
from tests.driver.load import History
from tests.receiver import Receiver, receiver
from tests.referrals import referrals

from .pace import Pace
from .service import Service
from .table import Row

About = tuple[str, str]  # a referral, and what happened to it
POST_SECONDS = (60, 900)  # without any, for the pauses between attempts and for a destination that rests
TOLD = "referral."  # of other events only people are told


@dataclass(frozen=True)
class Post:
    """What came of one load's webhooks: `strange` is what was due to nobody, or came under two ids."""

    due: int
    got: int
    strange: int


@dataclass
class Mailboxes:
    """`steady` always answers 200; `neighbour` does what a fault has it do. `loads` are told of, by name."""

    steady: Receiver
    neighbour: Receiver
    loads: dict[str, History] = field(default_factory=dict)

    def came(self) -> list[dict[About, set[str]]]:
        """Return for each of both under which webhook ids each event came."""
        return [came(box) for box in (self.steady, self.neighbour)]

    def slowest(self, load: History) -> float:
        """Return the longest time, in seconds, from a 202 until the steady system had heard of the form."""
        taken = {sent.intake: sent.taken_at for sent in load.sent}
        heard: dict[str, float] = {}
        for each in list(self.steady.received):
            intake = json.loads(each.body)["data"]["intake_id"]
            if intake in taken:
                heard.setdefault(intake, each.at - taken[intake])
        return max(heard.values(), default=0.0)


def came(box: Receiver) -> dict[About, set[str]]:
    """Return under which webhook ids each event came."""
    ids: dict[About, set[str]] = defaultdict(set)
    for each in list(box.received):
        payload = json.loads(each.body)
        data = payload["data"]
        ids[about(data["referral_id"], payload["type"], data["escalation_level"])].add(each.webhook_id)
    return ids


def about(referral: str, happened: str, level: int | None) -> About:
    """Return by what an event is told apart; the level counts where it is the event."""
    return referral, f"{happened} {level}" if happened == "referral.escalated" else happened


@contextmanager
def mailboxes(service: Service) -> Iterator[Mailboxes]:
    """Yield both, set as destinations of every queue."""
    name, _, key = service.environment["IDENTITY_KEYS"].partition(":")
    cipher = IdentityCipher({name: base64.b64decode(key)})
    with receiver() as steady, receiver() as neighbour:
        with Session(service.engine) as session, session.begin():
            for box in (steady, neighbour):
                for queue in QUEUES:
                    destinations.put(session, Place(queue, None, 0, box.url), cipher)
        yield Mailboxes(steady, neighbour)


def to_be_told(service: Service) -> dict[str, set[About]]:
    """Return what departments are due to hear of each intake, by the feed of events."""
    told: dict[str, set[About]] = defaultdict(set)
    for event in service.events():
        if event["type"].startswith(TOLD):
            told[event["intake_id"]].add(about(event["referral_id"], event["type"], event["data"].get("level")))
    return told


def post(
    load: History,
    told: Mapping[str, set[About]],
    boxes: Sequence[Mapping[About, set[str]]],
    known: Mapping[str, set[About]],
) -> Post:
    """Return what has come to each box of what was to be told before the boxes were looked at, and known after it.

    Rungs are climbed meanwhile: what was told before has had its time to come, and what came is known after it.
    """
    due, all_of_it = (of(load, each) for each in (told, known))
    ours = {referral for referral, _ in all_of_it}
    got = strange = 0
    for ids in boxes:
        got += len(due & ids.keys())
        strange += sum(each[0] in ours and (each not in all_of_it or len(under) > 1) for each, under in ids.items())
    return Post(len(boxes) * len(due), got, strange)


def of(load: History, told: Mapping[str, set[About]]) -> set[About]:
    """Return what is to be told of the intakes of a load."""
    return set().union(*(told.get(sent.intake or "", set()) for sent in load.sent))


def settled(service: Service, pace: Pace, rows: list[Row]) -> dict[str, Post]:
    """Retry what is parked until everything due has come; note what came, and return what is not right.

    It gives up when nothing more has come for a time; a busy machine takes longer, but goes on.
    """
    deadline, most = 0.0, -1
    loads = service.mailboxes.loads
    while True:
        referrals("parked", "retry", "--all", "--home", service.home)
        told, boxes = to_be_told(service), service.mailboxes.came()
        all_came = all(of(load, told) <= box.keys() for load in loads.values() for box in boxes)
        if (count := sum(map(len, boxes))) > most:
            deadline, most = time.monotonic() + pace.of(*POST_SECONDS), count
        if all_came or time.monotonic() > deadline:
            break
        time.sleep(2)
    known = to_be_told(service)
    posts = {name: post(load, told, boxes, known) for name, load in loads.items()}
    rows[:] = [replace(row, **asdict(posts[row.fault])) if row.fault in posts else row for row in rows]
    return {name: each for name, each in posts.items() if each.got != each.due or each.strange}
