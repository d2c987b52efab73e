"""Creates the Flask application: its context, its blueprints, and what happens around every request."""

import threading
from collections.abc import Callable
from datetime import datetime

from flask import Flask
from sqlalchemy import Engine

from services.api.access import recording
from services.api.access import routes as access
from services.api.access.failure_counter import FailureCounter
from services.api.admission import overdue_bodies
from services.api.admission.ask_next import AskNext
from services.api.admission.body_limits import BodyLimits
from services.api.admission.bulkheads import BATCHES, AdmissionControl
from services.api.console import console
from services.api.context import EXTENSION, AppContext
from services.api.deliveries import routes as deliveries
from services.api.events import routes as events
from services.api.events.feed_follower import FeedFollower
from services.api.forms.schema import create_form_schema
from services.api.forms.validity_check import create_form_check
from services.api.http import auth, health, metrics, problems, security_headers, tracing
from services.api.http.key_cache import KeyCache
from services.api.intakes import batch_routes
from services.api.intakes import routes as intakes
from services.api.limits import rate_limits
from services.api.openapi import generator
from services.api.openapi import routes as docs
from services.api.protocols import preview
from services.api.protocols import routes as protocols
from services.api.referrals import finding, identity_routes, worklists
from services.api.referrals import routes as referrals
from services.api.referrals.answering import routes as answering
from services.api.referrals.contact import routes as contact_routes
from shared.monitoring.disk_level import create_disk_monitor
from shared.monitoring.exposition import create_registry
from shared.platform import clock
from shared.platform.broker import broker_answers
from shared.platform.ciphers import identity_cipher
from shared.platform.database import create_engine, create_sessions, transactions
from shared.platform.settings import Settings
from shared.platform.timeouts import install_client_timeouts
from shared.platform.wake_ups.publisher import create_announcer
from shared.protocols import active

POOL_SIZE = 4  # connections for statements, for sessions, and for forms of the routine lane
POOL_SECONDS = 1  # to wait for one; a database that is unavailable is known by then, and the thread is needed
RESERVED_FOR_PRIORITY = 2  # connections more, to store forms with, which no batch and no routine form ever holds
LOOKUPS = 2  # connections for look-ups of keys and for probes, each a fraction of a millisecond


def create_app(settings: Settings, *, now: Callable[[], datetime] = clock.now) -> Flask:
    """Return the application; it connects to nothing before the first request."""
    app = Flask(__name__, static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = create_context(settings, now)
    api = generator.register(app, active())
    tracing.register(app)
    security_headers.register(app)
    metrics.register(app)
    auth.register(app, {"console": console.authenticate})
    rate_limits.register(app, settings)
    recording.register(app)
    for views in (
        intakes,
        batch_routes,
        preview,
        protocols,
        worklists,
        finding,
        referrals,
        identity_routes,
        answering,
        contact_routes,
        events,
        deliveries,
        access,
        health,
    ):
        api.register_blueprint(views.blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(metrics.blueprint)
    console.register(app)
    problems.register(app)
    overdue_bodies.register(app)
    return app


def create_context(settings: Settings, now: Callable[[], datetime]) -> AppContext:
    """Return what the requests need."""
    sessions = create_sessions(_pool(settings, POOL_SIZE, autocommit=False), settings)
    storing = _pool(settings, POOL_SIZE + BATCHES + RESERVED_FOR_PRIORITY)
    lookups = _pool(settings, LOOKUPS)
    disk = create_disk_monitor(settings)
    return AppContext(
        settings=settings,
        sessions=sessions,
        statements=_pool(settings, POOL_SIZE),
        storing=storing,
        form_transactions=transactions(storing),
        lookups=lookups,
        keys=KeyCache(lookups),
        cipher=identity_cipher(settings),
        protocol=active(),
        form=create_form_schema(active().form),
        is_valid_form=create_form_check(active().form),
        announce=create_announcer(settings).announce,
        broker_answers=lambda: broker_answers(settings),
        metrics=create_registry(settings, active(), sessions, disk),
        admission=AdmissionControl(POOL_SIZE, disk),
        bodies=BodyLimits(settings.api_threads),
        long_poll_slots=threading.BoundedSemaphore(max(1, settings.api_threads // 4)),
        ask_next=AskNext(max(1, settings.api_threads // 4)),
        now=now,
        feed_follower=FeedFollower(sessions, settings.event_streams),
        failed_authentications=FailureCounter(sessions),
    )


def _pool(settings: Settings, size: int, *, autocommit: bool = True) -> Engine:
    engine = create_engine(settings, pool_size=size, pool_timeout=POOL_SECONDS, autocommit=autocommit)
    install_client_timeouts(engine)  # a frozen database is unavailable, and its sender is answered in time
    return engine
