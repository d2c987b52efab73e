"""Announces stalled deliveries again, and makes the urgent ones itself while no delivery worker does."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.worker.delivery.dispatcher import Dispatcher
from shared.platform.database import Sessions, autocommit
from shared.platform.task_queues import DELIVERY_QUEUES, WakeUp, delivery_wake_up
from shared.store.delivery.deliveries import StalledDelivery, park_undeliverable, stalled_deliveries

log = structlog.get_logger(__name__)

ANNOUNCE_AGE = timedelta(seconds=1)
URGENT_AGE = timedelta(seconds=3)  # an escalation that has been stalled for so long is sent from here
EVERY_SECONDS = 1.0
THREADS = 4  # destinations that are served at once; those that do not answer occupy the others for one attempt each


def announce_stalled(sessions: Sessions, announce: Callable[[WakeUp], None]) -> None:
    """Announce what is due and not moving, one delivery of each destination; park what can never be delivered."""
    with sessions.begin() as session:
        park_undeliverable(session)
        waiting = stalled_deliveries(session, age=ANNOUNCE_AGE, queues=DELIVERY_QUEUES)
    for each in waiting:
        announce(delivery_wake_up(each.id, each.queue))


class StalledDeliverer:
    """Makes stalled deliveries of the queue `urgent`, in threads of its own, so that it delays nothing else."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Deliver by `dispatcher`."""
        self._dispatcher = dispatcher
        self._pool = ThreadPoolExecutor(THREADS, "stalled-deliverer")
        self._served: set[object] = set()  # destinations that a thread serves or is about to

    def start(self, stop: threading.Event) -> None:
        """Look again and again from a thread, until `stop`."""
        threading.Thread(target=self._run, args=(stop,), name="stalled-deliverer", daemon=True).start()

    def look(self) -> None:
        """Have every urgent destination served that waits and is not being served."""
        with autocommit(self._dispatcher.sessions) as session:
            waiting = stalled_deliveries(session, age=URGENT_AGE, queues=("urgent",))
        for each in waiting:
            if each.destination_id not in self._served:
                self._served.add(each.destination_id)
                self._pool.submit(self._serve, each)

    def _serve(self, waiting: StalledDelivery) -> None:
        log.warning("stalled.delivering", queue=waiting.queue, destination_id=str(waiting.destination_id))
        try:
            self._dispatcher.deliver(waiting.id)
        except SQLAlchemyError as error:
            log.error("stalled.delivery_failed", error=type(error).__name__)
        finally:
            self._served.discard(waiting.destination_id)

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(EVERY_SECONDS):
            try:
                self.look()
            except SQLAlchemyError as error:
                log.error("stalled.query_failed", error=type(error).__name__)
        self._dispatcher.stopping.set()
