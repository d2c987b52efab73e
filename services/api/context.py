"""Holds what every request needs, built once when the application is created."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app
from marshmallow import Schema
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from services.api.access.failure_counter import FailureCounter
from services.api.admission.ask_next import AskNext
from services.api.admission.body_limits import BodyLimits
from services.api.admission.bulkheads import AdmissionControl
from services.api.events.feed_follower import FeedFollower
from services.api.forms.validity_check import Check
from services.api.http.key_cache import KeyCache
from shared.clinical.protocol import Protocol
from shared.platform.crypto import IdentityCipher
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.platform.task_queues import WakeUp

EXTENSION = "psoas"


@dataclass(frozen=True, slots=True)
class AppContext:
    """`announce` returns at once; `long_poll_slots` holds the threads that may wait for triage at one time.

    `sessions` are for what changes several rows together. With `statements` each statement is a transaction of its
    own: most is read with them. `storing`, and `form_transactions` on the same connections, store forms and do nothing
    else. `lookups` are for what is asked before a caller is known: keys and probes. No pool waits for another.
    """

    settings: Settings
    sessions: Sessions
    statements: Engine
    storing: Engine
    form_transactions: Sessions
    lookups: Engine
    keys: KeyCache
    cipher: IdentityCipher
    protocol: Protocol
    form: Schema
    is_valid_form: Check
    announce: Callable[[WakeUp], None]
    broker_answers: Callable[[], bool]
    metrics: CollectorRegistry
    admission: AdmissionControl
    bodies: BodyLimits
    long_poll_slots: threading.BoundedSemaphore
    ask_next: AskNext
    now: Callable[[], datetime]
    feed_follower: FeedFollower
    failed_authentications: FailureCounter

    def close(self) -> None:
        """End what streams, and close the connections to the database that no request uses."""
        self.feed_follower.close()
        for engine in (self.statements, self.storing, self.lookups, self.sessions.kw["bind"]):
            engine.dispose()


def current_context() -> AppContext:
    """Return the context of the application that handles the current request."""
    return context_of(current_app)


def context_of(app: Flask) -> AppContext:
    """Return the context of `app`."""
    return cast(AppContext, app.extensions[EXTENSION])
