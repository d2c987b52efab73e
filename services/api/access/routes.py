"""Route that searches the access log: who looked at whose data."""

from typing import Any

from flask import Response

from services.api.access.schemas import AccessRecords, AccessSearch
from services.api.context import current_context
from services.api.http import paging
from services.api.http.auth import allow, caller
from services.api.http.parsing.request_parser import StrictBlueprint
from services.api.http.responses import json_response
from shared.store.access.access_log import number_records
from shared.store.access.access_search import AccessQuery, StoredAccess, hashes_of, search

blueprint = StrictBlueprint("access", __name__, url_prefix="/v1/access", description="Who looked at whose data.")


@blueprint.route("/search", methods=["POST"])
@allow("auditor", "admin")
@blueprint.arguments(AccessSearch())
@blueprint.response(200, AccessRecords)
def search_access(asked: dict[str, Any]) -> Response:
    """Search the access log by patient, person and time, newest first.

    It has every answer that showed identities and every refusal. A key that is limited to a facility finds the
    accesses to a patient of that facility, and without `mrn` those with keys of that facility.
    """
    number_records(current_context().sessions)
    facility, limit = caller().facility, asked["limit"]
    with current_context().sessions() as session:
        hashes = None
        if asked["mrn"] is not None:
            hashes = hashes_of(session, current_context().settings.lookup_keys, asked["mrn"], facility)
        query = AccessQuery(hashes, asked["person"], facility, asked["since"], asked["until"])
        found = search(session, query, limit=limit + 1, before=asked["cursor"])
    cursor = paging.written([found[limit - 1].at, found[limit - 1].id]) if len(found) > limit else None
    return json_response({"records": [_record(each) for each in found[:limit]], "next": cursor})


def _record(stored: StoredAccess) -> dict[str, Any]:
    return {
        "number": stored.number,
        "at": stored.at,
        "person": stored.person,
        "key_id": stored.key_id,
        "role": stored.role,
        "facility": stored.facility,
        "address": stored.address,
        "request_id": stored.request_id,
        "method": stored.method,
        "route": stored.route,
        "status": stored.status,
        "referral_id": stored.referral_id,
        "intake_id": stored.intake_id,
        "patients": [bytes(each).hex() for each in stored.patients],
    }
