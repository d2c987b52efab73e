"""What every request needs, built once when the application is made."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app
from marshmallow import Schema
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from services.api.capacity import Capacity
from services.api.form_check import Check
from services.api.keyring import KeyRing
from services.api.tail import Tail
from shared.clinical.protocol import Protocol
from shared.crypto import IdentityCipher
from shared.database import Sessions
from shared.settings import Settings
from shared.task_queues import Hint

EXTENSION = "psoas"


@dataclass(frozen=True, slots=True)
class Parts:
    """`announce` returns at once; `waiting_room` holds the threads that may wait for triage at one time.

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
    keys: KeyRing
    cipher: IdentityCipher
    protocol: Protocol
    form: Schema
    is_valid_form: Check
    announce: Callable[[Hint], None]
    broker_answers: Callable[[], bool]
    metrics: CollectorRegistry
    capacity: Capacity
    waiting_room: threading.BoundedSemaphore
    now: Callable[[], datetime]
    tail: Tail

    def close(self) -> None:
        """End what streams, and close the connections to the database that no request uses."""
        self.tail.close()
        for engine in (self.statements, self.storing, self.lookups, self.sessions.kw["bind"]):
            engine.dispose()


def parts() -> Parts:
    """Return the parts of the application that handles the current request."""
    return parts_of(current_app)


def parts_of(app: Flask) -> Parts:
    """Return the parts of `app`."""
    return cast(Parts, app.extensions[EXTENSION])
