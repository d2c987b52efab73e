"""Routes that find referrals: a list over all queues, and a search by what a person knows."""

from datetime import datetime
from typing import Any

from flask import Response
from marshmallow import fields

from services.api.access.recording import record_access
from services.api.context import current_context
from services.api.http import lists
from services.api.http.auth import READERS, allow, caller, scope
from services.api.http.lists import Instant, ReferenceField, YesOrNo
from services.api.http.paging import cursor_at, written
from services.api.http.parsing.request_parser import Body, StrictBlueprint
from services.api.http.parsing.strict_fields import Choice, Strict, Text
from services.api.http.problems import InvalidError
from services.api.http.responses import json_response
from services.api.schemas import serializers
from services.api.schemas.referrals import Worklist
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES, STATUSES
from shared.store.lists.finding import Filter, listed
from shared.store.lists.search import Wanted, search

blueprint = StrictBlueprint("finding", __name__, url_prefix="/v1/referrals", description="What a team works on.")

MAX_LENGTH = 200
NAMES = ("reference", "external_id", "mrn")


class ListQuery(Body):
    """Which referrals, and how many; what is not named may be anything."""

    queue: Strict = Choice(QUEUES)
    status: Strict = lists.status(("open", "all", *STATUSES), "open")
    priority: Strict = Choice(PRIORITIES)
    overdue = YesOrNo(load_default=None)
    contact_overdue = YesOrNo(
        load_default=None, metadata={"description": "Open, `contacted` is null, and `contact_by` has passed; or not."}
    )
    facility = Text(least=1, most=MAX_LENGTH, load_default=None)
    acknowledged_by = Text(least=1, most=MAX_LENGTH, load_default=None)
    since: fields.Field[datetime] = Instant(load_default=None, metadata={"description": "Created then or later."})
    limit = lists.limit()
    cursor = lists.cursor()
    test = lists.tests()


class SearchQuery(Body):
    """How many, from where, and whether among tests."""

    limit = lists.limit()
    cursor = lists.cursor(lists.IdCursor)
    test = lists.tests()


class SearchBody(Body):
    """Exactly one of the three."""

    reference = ReferenceField()
    external_id = Text(least=1, most=MAX_LENGTH)
    mrn = Text(least=1, most=MAX_LENGTH)


@blueprint.route("", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(ListQuery(), location="query")
@blueprint.response(200, Worklist)
def get_referrals(query: dict[str, Any]) -> Response:
    """List referrals over all queues that the key sees.

    Ordered as a worklist: by priority, then `acknowledge_by`, then id. With `since`, `acknowledged_by` or
    `contact_overdue` a page may be short or empty while `next` is not null: go on until it is.
    """
    limit, after = query.pop("limit"), query.pop("cursor")
    seen = scope()
    facility = query.pop("facility")
    if None not in (facility, seen.facility) and facility != seen.facility:
        return json_response({"referrals": [], "next": None})
    wanted = Filter(facility=facility or seen.facility, queues=seen.queues, **query)
    with current_context().statements.connect() as connection:
        found = listed(connection, wanted, limit=limit, after=after)
        record_access(connection, (each.patient for each in found.referrals))
    referrals = [serializers.referral(each, current_context().cipher) for each in found.referrals]
    return json_response({"referrals": referrals, "next": found.after and cursor_at(found.after)})


@blueprint.route("/search", methods=["POST"])
@allow("submitter", *READERS)
@blueprint.arguments(SearchQuery(), location="query")
@blueprint.arguments(SearchBody())
@blueprint.response(200, Worklist)
def search_referrals(query: dict[str, Any], body: dict[str, Any]) -> Response:
    """Find referrals by exactly one of `reference`, `external_id` and `mrn`, the newest first, of any status.

    One that is superseded brings the open one of its chain along. A submitter finds those of its own facility, with
    `patient` null. The record number is compared as normalised, and stands in no URL and no log.
    """
    if len(body) != 1:
        raise InvalidError([("", f"Has to have exactly one of: {', '.join(NAMES)}.")])
    wanted = Wanted(current_context().settings.lookup_keys, **body)
    with current_context().statements.connect() as connection:
        found = search(connection, wanted, scope(), test=query["test"], limit=query["limit"], after=query["cursor"])
        with_patient = caller().role != "submitter"
        if with_patient:
            record_access(connection, (each.patient for each in found.referrals))
    cipher = current_context().cipher
    referrals = [serializers.referral(each, cipher, with_patient=with_patient) for each in found.referrals]
    return json_response({"referrals": referrals, "next": found.after and written([found.after])})
