"""A department's system that fails in every way there is: it delays no neighbour, and in the end it has everything."""

import socket
import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from shared.store.delivery import parked
from tests import receiver
from tests.receiver import status

from .fault import Fault, Scene
from .processes import killed

NEIGHBOUR_SECONDS = 10  # within which a system that works has heard of a form, whatever another does
SLOW_SECONDS = 3


def slowly(connection: socket.socket) -> None:
    """Answer 200 after a while."""
    time.sleep(SLOW_SECONDS)
    status(200)(connection)


def neighbour(what: str, behaviour: Callable[[socket.socket], None]) -> Fault:
    """Return the fault that one of two systems behaves like that; then what is parked is retried."""

    def strike(scene: Scene) -> None:
        boxes = scene.service.mailboxes
        boxes.neighbour.answer = behaviour
        time.sleep(scene.seconds)
        slowest = boxes.slowest(scene.history)
        boxes.neighbour.answer = status(200)
        retry_parked(scene)
        assert slowest < NEIGHBOUR_SECONDS

    return Fault(f"a destination {what}", strike, short=1.5, stated=600 if what == "is down" else 15)


def retry_parked(scene: Scene) -> None:
    """Do what `referrals parked retry --all` does; the command itself is run at the end, by `mailbox.settled`."""
    with Session(scene.service.engine) as session:
        while parked.retry(session, parked.ids(session)):
            session.commit()


def workers_killed(scene: Scene) -> None:
    for name in ("urgent-delivery", "delivery"):
        killed(scene, name, int(scene.pace.of(1, 5)))


FAULTS = (
    neighbour("is down", receiver.hang_up),
    neighbour("hangs", receiver.hang),
    neighbour("is slow", slowly),
    neighbour("drips", receiver.drip),
    neighbour("drips its body", receiver.drip_body),
    neighbour("answers 500", status(500)),
    neighbour("answers 429", status(429, retry_after="2")),
    neighbour("answers 301", status(301, location="http://127.0.0.1:1/")),
    neighbour("answers 410", status(410)),
    neighbour("answers garbage", receiver.garbage),
    neighbour("sends a gigabyte", receiver.flood),
    Fault("delivery workers killed", workers_killed),
)
