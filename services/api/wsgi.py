"""What a WSGI server loads: the application, made from the environment."""

from flask import Flask

from services.api.app import create_app
from services.api.parts import EXTENSION
from services.api.stopping import when_told_to_stop
from shared.logs import configure_logs
from shared.settings import Settings, load_settings


def application(settings: Settings | None = None) -> Flask:
    """Return the application of this process, with its log lines set up; its streams end when it is told to stop."""
    settings = settings or load_settings()
    configure_logs(settings)
    app = create_app(settings)
    when_told_to_stop(app.extensions[EXTENSION].tail.end)
    return app
