"""A department's system that fails in every way there is: it delays no neighbour, and in the end it has everything."""

import socket
import time
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from shared.store.delivery import parked
from tests import receiver
from tests.receiver import status

from .fault import Fault, Scene
from .processes import killed
from .service import wait_until

Behaviour = Callable[[socket.socket], None]

NEIGHBOUR_SECONDS = 10  # within which a system that works has heard of a form, whatever another does
SLOW_SECONDS = 3


def slowly(connection: socket.socket) -> None:
    """Answer 200 after a while."""
    time.sleep(SLOW_SECONDS)
    status(200)(connection)


def neighbour(
    what: str, behaviour: Behaviour, *, soak_only: bool = False, enough: Callable[[], bool] = lambda: True
) -> Fault:
    """Return the fault that one of two systems behaves like that; then what is parked is retried."""

    def strike(scene: Scene) -> None:
        boxes = scene.service.mailboxes
        boxes.neighbour.answer = behaviour
        time.sleep(scene.seconds)
        wait_until(enough, "everything that it does")
        slowest = boxes.slowest(scene.history)
        boxes.neighbour.answer = status(200)
        retry_parked(scene)
        assert slowest < NEIGHBOUR_SECONDS

    stated = 600 if what == "is down" else 15
    return Fault(f"a destination {what}", strike, short=1.5, stated=stated, soak_only=soak_only)


class Turns:
    """Answers one request after the other in these ways, again and again."""

    def __init__(self, behaviours: Sequence[Behaviour]) -> None:
        self._behaviours = behaviours
        self._served = 0

    def __call__(self, connection: socket.socket) -> None:
        self._served += 1
        self._behaviours[(self._served - 1) % len(self._behaviours)](connection)

    def all_had(self) -> bool:
        """Say whether each had its turn."""
        return self._served >= len(self._behaviours)


def retry_parked(scene: Scene) -> None:
    """Do what `referrals parked retry --all` does; the command itself is run at the end, by `mailbox.settled`."""
    with Session(scene.service.engine) as session:
        while parked.retry(session, parked.ids(session)):
            session.commit()


def workers_killed(scene: Scene) -> None:
    for name in ("urgent-delivery", "delivery"):
        killed(scene, name, int(scene.pace.of(1, 5)))


# In `make test` one after the other; tests/worker/delivery has what becomes of each.
WRONG_ANSWERS: dict[str, Behaviour] = {
    "drips its body": receiver.drip_body,
    "answers 500": status(500),
    "answers 429": status(429, retry_after="2"),
    "answers 301": status(301, location="http://127.0.0.1:1/"),
    "answers garbage": receiver.garbage,
    "sends a gigabyte": receiver.flood,
    "answers 410": status(410),  # after which it is not asked again
}
TURNS = Turns([*WRONG_ANSWERS.values()])
FAULTS = (
    neighbour("is down", receiver.hang_up),
    neighbour("hangs", receiver.hang),
    neighbour("is slow", slowly),
    neighbour("drips", receiver.drip),
    neighbour("answers wrongly", TURNS, enough=TURNS.all_had),
    *(neighbour(what, behaviour, soak_only=True) for what, behaviour in WRONG_ANSWERS.items()),
    Fault("delivery workers killed", workers_killed),
)
