"""Answers health checks, liveness and readiness: the database decides, the broker is only reported."""

from flask import Response
from sqlalchemy.exc import SQLAlchemyError

from services.api.context import current_context
from services.api.http.parsing.request_parser import StrictBlueprint
from services.api.http.problems import RETRY_AFTER_SECONDS, ProblemError
from services.api.http.responses import json_response
from services.api.schemas.health import Live, Ready
from shared.migrations.head import at_head_or_later

blueprint = StrictBlueprint("health", __name__, url_prefix="/health", description="For probes; no key needed.")


@blueprint.route("/live", methods=["GET"])
@blueprint.doc(security=[])
@blueprint.response(200, Live)
def live() -> Response:
    """Say that the process answers."""
    return json_response({"status": "live"})


@blueprint.route("/ready", methods=["GET"])
@blueprint.doc(security=[])
@blueprint.response(200, Ready)
def ready() -> Response:
    """Say whether intakes can be stored. A broker that is unavailable delays triage a little and refuses nothing.

    Where storage is low, routine forms are refused, and in the end all.
    """
    if not _database_is_ready():
        raise ProblemError(
            503, "The database is unavailable or not migrated.", headers={"Retry-After": RETRY_AFTER_SECONDS}
        )
    degraded = [] if current_context().broker_answers() else ["broker"]
    if current_context().admission.disk.level != "enough":
        degraded.append("storage")
    return json_response({"status": "ready", "degraded": degraded})


def _database_is_ready() -> bool:
    try:
        with current_context().lookups.connect() as connection:
            return at_head_or_later(connection)
    except SQLAlchemyError:
        return False
