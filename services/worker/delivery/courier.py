"""Carries deliveries: takes one, attempts it with no transaction open, says how it ended, and goes on with the next.

Called by the Celery task and, while the broker is away, by the watchman. A message is a hint that one destination has
something due; whoever takes it takes what else waits for that destination, until the time is up.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from services.worker.delivery.fate import fate
from services.worker.delivery.sender import Sender
from services.worker.delivery.webhook import body_of, headers_of
from shared.crypto import IdentityCipher, UnreadableIdentityError
from shared.database import Sessions, create_engine, create_sessions
from shared.metrics import DELIVERY_SECONDS
from shared.settings import Settings
from shared.store.deliveries import (
    Claimed,
    Ended,
    claim,
    claim_next,
    finish,
    park_unreachable,
)
from shared.store.destinations import secret_of
from shared.task_queues import Hint, delivery_hint

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 2.0  # then the thread serves another destination, and a message is left for the rest


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivery with all that it needs. `announce` must neither block nor raise; once `stopping`, nothing new begins."""

    sessions: Sessions
    cipher: IdentityCipher
    sender: Sender
    announce: Callable[[Hint], None]
    stopping: threading.Event = field(default_factory=threading.Event)

    def deliver(self, delivery_id: UUID) -> int:
        """Attempt this delivery, then others of its destination; return how many attempts there were.

        Safe to call any number of times at once: what is not due, or somebody else's, is left alone.
        """
        end = time.monotonic() + DRAIN_SECONDS
        attempts = 0
        with self.sessions.begin() as session:
            claimed = claim(session, delivery_id)
        while claimed:
            ended, attempted = self._attempt(claimed), claimed
            attempts += 1
            over = self.stopping.is_set() or time.monotonic() >= end
            with self.sessions.begin() as session:
                finish(session, attempted, ended)
                claimed = None if over else claim_next(session, attempted.destination_id)
            self._tell(attempted, ended)
            if over:
                self.announce(delivery_hint(attempted.id, attempted.queue))
        return attempts

    def _attempt(self, claimed: Claimed) -> Ended:
        try:
            secret = secret_of(self.cipher, claimed.destination_id, claimed.secret)
        except UnreadableIdentityError:
            return Ended("parked", 0, error="secret_unreadable")
        body = body_of(claimed.payload)
        headers = headers_of(str(claimed.id), body, secret, claimed.at)
        return fate(claimed, self.sender.post(claimed.url, headers, body))

    def _tell(self, claimed: Claimed, ended: Ended) -> None:
        DELIVERY_SECONDS.labels(ended.ending).observe(ended.duration_ms / 1000)
        line = {
            "delivery_id": str(claimed.id),
            "destination_id": str(claimed.destination_id),
            "referral_id": str(claimed.referral_id),
            "queue": claimed.queue,
            "attempts": claimed.attempt,
            "duration_ms": ended.duration_ms,
            "status": ended.http_status,
            "error": ended.error,
        }
        if ended.ending == "delivered":
            log.info("delivery.delivered", **line)
        elif ended.ending == "again":
            log.warning("delivery.failed", **line)
        else:
            log.error("delivery.parked", **line)
        if ended.ending == "gone":
            log.error("destination.disabled", destination_id=str(claimed.destination_id))
            with self.sessions.begin() as session:
                park_unreachable(session)  # the watchman parks what is beyond the first thousand


def create_courier(settings: Settings, announce: Callable[[Hint], None], *, pool_size: int) -> Courier:
    """Return a courier with an engine of its own, of `pool_size` connections."""
    return Courier(
        sessions=create_sessions(create_engine(settings, pool_size=pool_size)),
        cipher=IdentityCipher(settings.identity_keys),
        sender=Sender(loopback=settings.destinations_allow_loopback),
        announce=announce,
    )
