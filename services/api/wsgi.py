"""The WSGI entry point: the application, made from the environment."""

from flask import Flask

from services.api.access.failure_counter import STORE_SECONDS
from services.api.app import create_app
from services.api.context import context_of
from services.api.shutdown import on_shutdown
from shared.monitoring.disk_level import LOOK_SECONDS
from shared.monitoring.periodic import process_heartbeat, start_periodic
from shared.platform.logs import configure_logs
from shared.platform.metrics import write_metrics_to
from shared.platform.settings import Settings, load_settings
from shared.platform.tracing.traces import configure_traces


def application(settings: Settings | None = None) -> Flask:
    """Return the application of this process, with its log lines set up; its streams end when it is stopped."""
    settings = settings or load_settings()
    configure_logs(settings)
    write_metrics_to(settings.metrics_dir)
    configure_traces(settings, "api")
    app = create_app(settings)
    on_shutdown(context_of(app).feed_follower.end)
    start_periodic([context_of(app).admission.disk.look], every=LOOK_SECONDS)
    start_periodic([context_of(app).failed_authentications.store], every=STORE_SECONDS)
    start_periodic([process_heartbeat(settings, "api")])
    return app
