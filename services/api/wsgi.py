"""What a WSGI server loads: the application, made from the environment."""

import sys

from flask import Flask

from services.api.app import create_app
from services.api.parts import parts_of
from services.api.stopping import when_told_to_stop
from shared.logs import configure_logs
from shared.metrics import count_in
from shared.pulse import heart, start_pulse
from shared.settings import Settings, load_settings
from shared.storage import LOOK_SECONDS

TURN_SECONDS = 0.001  # of the interpreter for a thread while others wait; Python's own 0.005 makes a red flag wait


def application(settings: Settings | None = None) -> Flask:
    """Return the application of this process, with its log lines set up; its streams end when it is told to stop."""
    settings = settings or load_settings()
    configure_logs(settings)
    count_in(settings.metrics_dir)
    sys.setswitchinterval(TURN_SECONDS)
    app = create_app(settings)
    when_told_to_stop(parts_of(app).tail.end)
    start_pulse([parts_of(app).capacity.storage.look], every=LOOK_SECONDS)
    start_pulse([heart(settings, "api")])
    return app
