"""What a WSGI server loads: the application, made from the environment."""

from flask import Flask

from services.api.app import create_app
from shared.logs import configure_logs
from shared.settings import Settings, load_settings


def application(settings: Settings | None = None) -> Flask:
    """Return the application of this process, with its log lines set up."""
    settings = settings or load_settings()
    configure_logs(settings)
    return create_app(settings)
