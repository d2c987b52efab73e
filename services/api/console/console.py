"""Puts the console into the application: its blueprint with every page, and what its templates may use."""

from flask import Flask, g, request

from services.api.auth import caller
from services.api.console import words
from services.api.console.blueprint import blueprint
from services.api.console.pages import actions, board, queue, referral, sign_in
from services.api.console.session import CSRF_FIELD, authenticate
from services.api.queues import LABELS
from shared.clinical.lifecycle import QUEUES

__all__ = ["authenticate", "register"]

NAV = (("console.board", "Board"),)
PAGES = (sign_in, board, queue, referral, actions)  # importing them adds their routes


def register(app: Flask) -> None:
    """Register the console with `app`."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(blueprint)
    app.context_processor(_context)
    for filter_ in (words.duration, words.clock_time, words.iso):
        app.add_template_filter(filter_)


def _context() -> dict[str, object]:
    """Return what every template may use."""
    key = g.get("key")
    seen = [name for name in QUEUES if key and (key.role != "department" or name in key.queues)]
    return {
        "csrf_field": CSRF_FIELD,
        "csrf": g.get("csrf"),
        "signed_in": g.get("signed_in"),
        "role": caller().role if key else None,
        "seen_queues": {name: LABELS[name] for name in seen},
        "nav": NAV,
        "here": request.endpoint,
        "words": words,
    }
