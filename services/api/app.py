"""Makes the application: its parts, its views, and what happens around every request."""

import threading
from collections.abc import Callable
from datetime import datetime

from flask import Flask
from sqlalchemy import Engine

from services.api import (
    auth,
    batch,
    deliveries,
    docs,
    events,
    finding,
    health,
    identities,
    intakes,
    metrics,
    openapi,
    preview,
    problems,
    protocols,
    queues,
    referrals,
    trace,
)
from services.api.capacity import BATCHES, Capacity
from services.api.form_check import create_form_check
from services.api.form_schema import create_form_schema
from services.api.keyring import KeyRing
from services.api.parts import EXTENSION, Parts
from services.api.tail import Tail
from shared import clock
from shared.announce import Announcer, create_producer
from shared.broker import broker_answers
from shared.crypto import IdentityCipher
from shared.database import create_engine, create_sessions, transactions
from shared.exposition import create_registry
from shared.patience import make_impatient
from shared.protocols import active
from shared.settings import Settings
from shared.storage import create_storage

POOL_SIZE = 4  # connections for statements, for sessions, and for forms of the routine lane
POOL_SECONDS = 1  # to wait for one; a database that is away is known by then, and the thread is needed
KEPT_FOR_PRIORITY = 2  # connections more, to store forms with, which no batch and no routine form ever holds
LOOKUPS = 2  # connections for look-ups of keys and for probes, each a fraction of a millisecond


def create_app(settings: Settings, *, now: Callable[[], datetime] = clock.now) -> Flask:
    """Return the application; it connects to nothing before the first request."""
    app = Flask(__name__, static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = create_parts(settings, now)
    api = openapi.register(app, active())
    trace.register(app)
    metrics.register(app)
    auth.register(app)
    for views in (
        intakes,
        batch,
        preview,
        protocols,
        queues,
        finding,
        referrals,
        identities,
        events,
        deliveries,
        health,
    ):
        api.register_blueprint(views.blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(metrics.blueprint)
    problems.register(app)
    return app


def create_parts(settings: Settings, now: Callable[[], datetime]) -> Parts:
    """Return what the requests need."""
    sessions = create_sessions(_pool(settings, POOL_SIZE, autocommit=False))
    storing = _pool(settings, POOL_SIZE + BATCHES + KEPT_FOR_PRIORITY)
    lookups = _pool(settings, LOOKUPS)
    return Parts(
        settings=settings,
        sessions=sessions,
        statements=_pool(settings, POOL_SIZE),
        storing=storing,
        form_transactions=transactions(storing),
        lookups=lookups,
        keys=KeyRing(lookups),
        cipher=IdentityCipher(settings.identity_keys),
        protocol=active(),
        form=create_form_schema(active().form),
        is_valid_form=create_form_check(active().form),
        announce=Announcer(create_producer(settings)).announce,
        broker_answers=lambda: broker_answers(settings),
        metrics=create_registry(settings, active(), sessions),
        capacity=Capacity(POOL_SIZE, create_storage(settings)),
        waiting_room=threading.BoundedSemaphore(max(1, settings.api_threads // 4)),
        now=now,
        tail=Tail(sessions, settings.event_streams),
    )


def _pool(settings: Settings, size: int, *, autocommit: bool = True) -> Engine:
    engine = create_engine(settings, pool_size=size, pool_timeout=POOL_SECONDS, autocommit=autocommit)
    make_impatient(engine)  # a frozen database is unavailable, and its sender is answered in time
    return engine
