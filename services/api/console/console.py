"""Puts the console into the application: its blueprint with every page, and what its templates may use."""

from flask import Flask, g, request

from services.api.console import single_sign_on, words
from services.api.console.blueprint import blueprint
from services.api.console.pages import (
    board,
    failed,
    handover,
    health,
    not_there,
    protocol,
    queue,
    sign_in,
    sign_on,
    statistics,
)
from services.api.console.pages.cases import (
    actions,
    call_back,
    correct_identity,
    referral,
    search,
    sent_form,
    take_over,
    test_intake,
    try_form,
)
from services.api.console.session import CSRF_FIELD, authenticate
from services.api.context import current_context
from services.api.http.auth import READERS, caller
from services.api.referrals.worklists import LABELS
from shared.clinical.referral.lifecycle import QUEUES
from shared.store.access.console_sessions import IDLE

__all__ = ["authenticate", "register"]

STAFF = frozenset({"department", "operator", "auditor", "admin"})
NAV = (
    ("console.board", "Board", STAFF),
    ("console.call_back", "Call back", frozenset(READERS)),
    ("console.handover", "Handover", STAFF),
    ("console.failed", "Failed", frozenset({"operator", "admin"})),
    ("console.statistics_page", "Statistics", STAFF),
    ("console.try_form", "Try a form", frozenset({"department", "operator", "admin"})),
    ("console.protocol", "Protocol", STAFF),
    ("console.health", "Health", frozenset({"operator", "auditor", "admin"})),
)
PAGES = (
    sign_in,
    sign_on,
    board,
    queue,
    referral,
    actions,
    correct_identity,
    failed,
    handover,
    take_over,
    statistics,
    try_form,
    test_intake,
    protocol,
    health,
    call_back,
    search,
    sent_form,
    not_there,
)  # importing them adds their routes


def register(app: Flask) -> None:
    """Register the console with `app`."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(blueprint)
    single_sign_on.register(app)
    app.context_processor(_context)
    for filter_ in (words.duration, words.clock_time, words.hour, words.unbroken, words.written_time, words.iso):
        app.add_template_filter(filter_)


def _context() -> dict[str, object]:
    """Return what every template may use."""
    key = g.get("key")
    seen = [name for name in QUEUES if key and (key.role != "department" or name in key.queues)]
    return {
        "csrf_field": CSRF_FIELD,
        "csrf": g.get("csrf"),
        "signed_in": g.get("signed_in"),
        "idle_seconds": int(IDLE.total_seconds()),
        "environment": current_context().settings.environment_name,
        "role": caller().role if key else None,
        "can_search": _can_search(),
        "queue_labels": LABELS,
        "seen_queues": {name: LABELS[name] for name in seen},
        "nav": [(endpoint, label) for endpoint, label, roles in NAV if key and key.role in roles],
        "here": request.endpoint,
        "words": words,
        "single_sign_on": single_sign_on.is_offered(),
    }


def _can_search() -> bool:
    key, signed_in = g.get("key"), g.get("signed_in")
    return bool(key and signed_in and signed_in.kind == "person" and key.role in READERS)
