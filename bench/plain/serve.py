"""Serves the ordinary API as ours is served."""

import sys

from flask import Flask

from bench.plain.api import create_app
from bench.serving import serve
from shared.platform.database import create_engine, create_sessions
from shared.platform.settings import load_settings


def application() -> Flask:
    """Return the application, made from the environment."""
    settings = load_settings()
    return create_app(settings, create_sessions(create_engine(settings, pool_size=settings.api_threads)))


if __name__ == "__main__":
    serve("bench.plain.serve:application", int(sys.argv[1]))
