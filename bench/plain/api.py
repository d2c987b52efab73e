"""The ordinary API: validate, insert, commit, `.delay()`."""

import hashlib
import hmac
from typing import Any

import orjson
from flask import Flask, abort, request
from flask_smorest import Api, Blueprint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from bench.plain.tasks import TRIAGE_TASK, create_celery
from services.api.forms.schema import create_form_schema
from services.api.intakes.schemas import Received
from shared.clinical.form import read
from shared.platform.clock import now
from shared.platform.crypto import IdentityCipher, keyed_hash
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.protocols import active
from shared.store.access.keys import split
from shared.tables import ApiKey, Intake

OPENAPI = {"API_TITLE": "plain", "API_VERSION": "1", "OPENAPI_VERSION": "3.1.0"}


def create_app(settings: Settings, sessions: Sessions) -> Flask:
    """Return the application."""
    triage_intake = create_celery(settings, sessions).tasks[TRIAGE_TASK]
    cipher = IdentityCipher(settings.identity_keys)
    blueprint = Blueprint("intakes", __name__)

    @blueprint.route("/v1/intakes", methods=["POST"])
    @blueprint.arguments(create_form_schema(active().form))
    @blueprint.response(202, Received)
    def post_intake(body: dict[str, Any]) -> dict[str, Any]:
        try:
            with sessions.begin() as session:
                intake = _intake(body, _facility(session), cipher, settings.lookup_key)
                session.add(intake)
        except IntegrityError:
            abort(409)
        triage_intake.delay(str(intake.id))
        return _received(intake)

    app = Flask("plain")
    app.config.update(OPENAPI)
    Api(app).register_blueprint(blueprint)
    app.add_url_rule("/health/live", view_func=dict)
    return app


def _facility(session: Session) -> str:
    """Return whose key the request presents."""
    key_id, secret = split(request.headers.get("Authorization", "").removeprefix("Bearer ")) or abort(401)
    key = session.get(ApiKey, key_id)
    if key is None or not hmac.compare_digest(key.secret_hash, hashlib.sha256(secret.encode()).digest()):
        abort(401)
    return key.facility or abort(403)


def _intake(body: dict[str, Any], facility: str, cipher: IdentityCipher, lookup_key: bytes) -> Intake:
    intake_id, today = uuid7(), now().date()
    identity = {name: body["patient"].get(name) for name in ("mrn", "family_name", "given_name", "birth_date")}
    return Intake(
        id=intake_id,
        facility=facility,
        external_id=body.get("encounter", {}).get("external_id"),
        lane="routine",  # a column that this service does not use
        today=today,
        answers=read(body, active(), today=today).record(),
        identity=cipher.seal(orjson.dumps(identity), row=str(intake_id)),
        mrn_hash=keyed_hash(lookup_key, identity["mrn"].encode()),
        body_hash=b"",
        request_id="",
    )


def _received(intake: Intake) -> dict[str, Any]:
    return {
        "id": intake.id,
        "external_id": intake.external_id,
        "status": "received",
        "lane": intake.lane,
        "received_at": intake.received_at,
        "links": {"self": f"/v1/intakes/{intake.id}"},
    }
