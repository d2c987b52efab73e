"""Identities over HTTP: correct the one of a referral, and read what was corrected."""

from typing import Any
from uuid import UUID

from flask import Response
from werkzeug.exceptions import NotFound

from services.api.answers import answer
from services.api.auth import allow, caller, scope
from services.api.bodies import CorrectIdentityBody
from services.api.correction import corrections
from services.api.fields import Id
from services.api.lists import DEFAULT_LIMIT, MOST_REFERRALS, Limit
from services.api.parser import Body, StrictBlueprint
from services.api.parts import Parts, parts
from services.api.patients import identity_of
from services.api.referrals import answer_referral, answers_referral, changes, honour_if_match
from services.api.shapes.identities import PARTS, IdentityHistory
from shared.crypto import UnreadableIdentityError
from shared.store import identities, referrals
from shared.store.events import Due
from shared.store.identities import Corrected, reason_row
from shared.store.scope import Scope
from shared.task_queues import delivery_hint

blueprint = StrictBlueprint(
    "identities", __name__, url_prefix="/v1/referrals", description="Whose referral it is, and what was corrected."
)


class HistoryQuery(Body):
    """Which corrections, and how many."""

    limit = Limit(load_default=DEFAULT_LIMIT, metadata={"minimum": 1, "maximum": MOST_REFERRALS})
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
    nothing.
    """
    due: list[Due] = []
    with parts().sessions.begin() as session:
        chain = identities.hold_chain(session, referral_id, scope())
        before = referrals.find_to_change(session, referral_id, scope())
        if before is None:
            raise NotFound
        honour_if_match(before)
        changed = corrections(parts(), chain, before.intake_id, body["patient"], body["reason"])
        due = identities.correct(session, changed, by=body["by"], key_id=caller().id)
        after = referrals.find(session, referral_id, Scope()) or before
    for delivery in due:
        parts().announce(delivery_hint(delivery.id, delivery.queue))
    return answer_referral(after)


@blueprint.route("/<uuid:referral_id>/identity-history", methods=["GET"])
@allow("admin")
@blueprint.arguments(HistoryQuery(), location="query")
@blueprint.response(200, IdentityHistory)
def get_identity_history(query: dict[str, Any], referral_id: UUID) -> Response:
    """Read every correction of the identity of a referral's form, oldest first, with the identity before and after."""
    limit, after = query["limit"], query["after"] and UUID(query["after"])
    with parts().sessions() as session:
        found = identities.history(session, referral_id, scope(), after=after, limit=limit + 1)
    if found is None:
        raise NotFound
    shown = [_shown(parts(), each) for each in found[:limit]]
    return answer({"corrections": shown, "next": found[limit - 1].id if len(found) > limit else None})


def _shown(parts: Parts, corrected: Corrected) -> dict[str, Any]:
    before = identity_of(parts.cipher, corrected.before, corrected.intake_id)
    after = identity_of(parts.cipher, corrected.after, corrected.intake_id)
    return {
        "id": corrected.id,
        "at": corrected.at,
        "by": corrected.by,
        "reason": _reason(parts, corrected),
        "fields": corrected.fields,
        "before": before and {name: before.get(name) for name in PARTS},
        "after": after and {name: after.get(name) for name in PARTS},
        "identity_unreadable": before is None or after is None,
    }


def _reason(parts: Parts, corrected: Corrected) -> str | None:
    try:
        return parts.cipher.open(corrected.reason, row=reason_row(corrected.id)).decode()
    except UnreadableIdentityError:
        return None
