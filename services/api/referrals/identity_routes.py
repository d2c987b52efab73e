"""Routes for identities: correct the one of a referral, and read its corrections."""

from typing import Any
from uuid import UUID

from flask import Response
from werkzeug.exceptions import NotFound

from services.api.access.recording import record_access
from services.api.context import AppContext, current_context
from services.api.http.auth import allow, scope
from services.api.http.lists import DEFAULT_LIMIT, MAX_LIMIT, Limit
from services.api.http.parsing.request_parser import Body, StrictBlueprint
from services.api.http.parsing.strict_fields import Id
from services.api.http.responses import json_response
from services.api.referrals.apply_correction import apply_correction
from services.api.referrals.identity_schemas import PARTS, IdentityHistory
from services.api.referrals.requests import CorrectIdentityBody
from services.api.referrals.routes import answer_referral, answers_referral, changes, honour_if_match
from services.api.schemas.patients import identity_of
from shared.platform.crypto import UnreadableIdentityError
from shared.store import referrals
from shared.store.patients import identities
from shared.store.patients.identities import Corrected, reason_row

blueprint = StrictBlueprint(
    "identities", __name__, url_prefix="/v1/referrals", description="Whose referral it is, and what was corrected."
)


class HistoryQuery(Body):
    """Which corrections, and how many."""

    limit = Limit(load_default=DEFAULT_LIMIT, metadata={"minimum": 1, "maximum": MAX_LIMIT})
    after = Id(load_default=None, metadata={"format": "uuid", "description": "`next` of the page before."})


@blueprint.route("/<uuid:referral_id>/correct-identity", methods=["POST"])
@allow("operator", "admin")
@changes
@blueprint.arguments(CorrectIdentityBody())
@answers_referral
def correct_identity(body: dict[str, Any], referral_id: UUID) -> Response:
    """Correct a patient's record number, birth date or names, of a closed referral too.

    Every version of the form is corrected. Duplicates and later amendments go by the corrected identity. The event
    names the changed fields and no value; the reason is in the history alone. A value that is stored already changes
    nothing. A changed birth date of an open case makes a new version of its form, as `answers` does, and the answer is
    its new open referral.
    """
    return answer_referral(apply_correction(referral_id, body, check=honour_if_match))


@blueprint.route("/<uuid:referral_id>/identity-history", methods=["GET"])
@allow("admin")
@blueprint.arguments(HistoryQuery(), location="query")
@blueprint.response(200, IdentityHistory)
def get_identity_history(query: dict[str, Any], referral_id: UUID) -> Response:
    """Read every correction of a referral's identity, oldest first, with the identity before and after.

    Those that were made in earlier versions of its form are among them.
    """
    limit, after = query["limit"], query["after"] and UUID(query["after"])
    with current_context().sessions() as session:
        found = identities.history(session, referral_id, scope(), after=after, limit=limit + 1)
        stored = referrals.find(session, referral_id, scope())
        if found is None or stored is None:
            raise NotFound
        record_access(session, [stored.patient])
        session.commit()
    shown = [_shown(current_context(), each) for each in found[:limit]]
    return json_response({"corrections": shown, "next": found[limit - 1].id if len(found) > limit else None})


def _shown(context: AppContext, corrected: Corrected) -> dict[str, Any]:
    before = identity_of(context.cipher, corrected.before, corrected.intake_id)
    after = identity_of(context.cipher, corrected.after, corrected.intake_id)
    return {
        "id": corrected.id,
        "at": corrected.at,
        "by": corrected.by,
        "reason": _reason(context, corrected),
        "fields": corrected.fields,
        "before": before and {name: before.get(name) for name in PARTS},
        "after": after and {name: after.get(name) for name in PARTS},
        "identity_unreadable": before is None or after is None,
    }


def _reason(context: AppContext, corrected: Corrected) -> str | None:
    try:
        return context.cipher.open(corrected.reason, row=reason_row(corrected.id)).decode()
    except UnreadableIdentityError:
        return None
