"""Serves /metrics to Prometheus, and counts all other responses."""

import hmac
import time

from flask import Blueprint, Flask, Response, g, request

from services.api.context import current_context
from services.api.http.problems import ProblemError
from shared.monitoring.exposition import CONTENT_TYPE, exposition
from shared.platform.metrics import INTAKE_SECONDS, REQUESTS

blueprint = Blueprint("metrics", __name__)

POSTING = "intakes.post_intake"


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the status of everything and what has been counted, to who presents METRICS_TOKEN and to no one else."""
    token = current_context().settings.metrics_token
    presented = request.headers.get("Authorization", "")
    if not token or not hmac.compare_digest(presented.encode(), f"Bearer {token}".encode()):
        raise ProblemError(401, headers={"WWW-Authenticate": "Bearer"})
    return Response(exposition(current_context().metrics), content_type=CONTENT_TYPE)


def register(app: Flask) -> None:
    """Count every request once it is answered."""
    app.after_request(_count)


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    REQUESTS.labels(route, response.status_code).inc()
    seconds = g.get("stored", time.perf_counter()) - g.began
    for outcome in _outcomes(response):
        INTAKE_SECONDS.labels(outcome).observe(seconds)
    return response


def _outcomes(response: Response) -> list[str]:
    """Return what came of each form that was posted; the lines of a batch are known, the batch itself is none."""
    if request.endpoint == POSTING:
        return [_outcome(response)]
    outcomes: list[str] = g.get("outcomes", [])
    return outcomes


def _outcome(response: Response) -> str:
    if response.status_code >= 500:
        return "unavailable"
    if response.status_code >= 400:
        return "refused"
    return "replayed" if "Idempotency-Replayed" in response.headers else "accepted"
