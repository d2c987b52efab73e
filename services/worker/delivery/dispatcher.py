"""Dispatches deliveries: leases one, attempts it with no transaction open, stores the result, and goes on.

Called by the Celery task and, while the broker is unavailable, by the watchman. A message is a wake-up that one
destination has something due; the worker that takes it also makes what else
waits for that destination, until the time is up.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from services.worker.delivery.retry_policy import outcome_of
from services.worker.delivery.sender import Sender
from services.worker.delivery.webhook import body_of, headers_of
from shared.platform.ciphers import webhook_cipher
from shared.platform.crypto import IdentityCipher, UnreadableIdentityError
from shared.platform.database import Sessions, create_engine, create_sessions
from shared.platform.metrics import DELIVERY_SECONDS
from shared.platform.settings import Settings
from shared.platform.task_queues import WakeUp, delivery_wake_up
from shared.platform.tracing.traces import Attributes, tracer
from shared.store.delivery.deliveries import (
    AttemptResult,
    LeasedDelivery,
    finish_attempt,
    lease_delivery,
    lease_next_delivery,
    park_undeliverable,
)
from shared.store.delivery.destinations import secret_of

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 2.0  # then the thread serves another destination, and a message is left for the rest


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Delivery with all that it needs. `announce` must neither block nor raise; once `stopping`, nothing new begins."""

    sessions: Sessions
    cipher: IdentityCipher
    sender: Sender
    announce: Callable[[WakeUp], None]
    stopping: threading.Event = field(default_factory=threading.Event)

    def deliver(self, delivery_id: UUID) -> int:
        """Attempt this delivery, then others of its destination; return how many attempts there were.

        Safe to call any number of times at once: what is not due, or leased by another worker, is left alone.
        """
        end = time.monotonic() + DRAIN_SECONDS
        attempts = 0
        with self.sessions.begin() as session:
            leased = lease_delivery(session, delivery_id)
        while leased:
            ended, attempted = self._attempt(leased), leased
            attempts += 1
            over = self.stopping.is_set() or time.monotonic() >= end
            with self.sessions.begin() as session:
                finish_attempt(session, attempted, ended)
                leased = None if over else lease_next_delivery(session, attempted.destination_id)
            self._log_result(attempted, ended)
            if over:
                self.announce(delivery_wake_up(attempted.id, attempted.queue))
        return attempts

    def _attempt(self, leased: LeasedDelivery) -> AttemptResult:
        try:
            secret = secret_of(self.cipher, leased.destination_id, leased.secret)
        except UnreadableIdentityError:
            return AttemptResult("parked", 0, error="secret_unreadable")
        body = body_of(leased.payload)
        attributes: Attributes = {
            "psoas.delivery_id": str(leased.id),
            "psoas.referral_id": str(leased.referral_id),
            "psoas.queue": leased.queue,
            "psoas.attempt": leased.attempt,
        }
        with tracer().span("deliver", kind="CLIENT", parent=leased.traceparent, attributes=attributes) as span:
            headers = headers_of(str(leased.id), body, secret, leased.at, span.traceparent or leased.traceparent)
            answer = self.sender.post(leased.url, headers, body)
            if answer.error:
                span.fail(answer.error)
            else:
                span.set(http_response_status_code=answer.status or 0)
        return outcome_of(leased, answer)

    def _log_result(self, leased: LeasedDelivery, ended: AttemptResult) -> None:
        DELIVERY_SECONDS.labels(ended.ending).observe(ended.duration_ms / 1000)
        line = {
            "delivery_id": str(leased.id),
            "destination_id": str(leased.destination_id),
            "referral_id": str(leased.referral_id),
            "queue": leased.queue,
            "attempts": leased.attempt,
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
            log.error("destination.disabled", destination_id=str(leased.destination_id))
            with self.sessions.begin() as session:
                park_undeliverable(session)  # the watchman parks what is beyond the first thousand


def create_dispatcher(settings: Settings, announce: Callable[[WakeUp], None], *, pool_size: int) -> Dispatcher:
    """Return a dispatcher with an engine of its own, of `pool_size` connections."""
    return Dispatcher(
        sessions=create_sessions(create_engine(settings, pool_size=pool_size)),
        cipher=webhook_cipher(settings),
        sender=Sender(loopback=settings.destinations_allow_loopback),
        announce=announce,
    )
