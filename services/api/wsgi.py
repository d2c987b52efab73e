"""What a WSGI server loads: the application, made from the environment."""

from flask import Flask

from services.api.app import create_app
from services.api.parts import parts_of
from services.api.stopping import when_told_to_stop
from shared.logs import configure_logs
from shared.metrics import count_in
from shared.pulse import heart, start_pulse
from shared.settings import Settings, load_settings
from shared.storage import LOOK_SECONDS


def application(settings: Settings | None = None) -> Flask:
    """Return the application of this process, with its log lines set up; its streams end when it is told to stop."""
    settings = settings or load_settings()
    configure_logs(settings)
    count_in(settings.metrics_dir)
    app = create_app(settings)
    when_told_to_stop(parts_of(app).tail.end)
    start_pulse([parts_of(app).capacity.storage.look], every=LOOK_SECONDS)
    start_pulse([heart(settings, "api")])
    return app
