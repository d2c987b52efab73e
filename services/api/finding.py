"""Finding referrals over HTTP: a list over all queues, and a search by what a person knows."""

from datetime import datetime
from typing import Any

from flask import Response
from marshmallow import fields

from services.api import lists, representations
from services.api.answers import answer
from services.api.auth import READERS, allow, caller, scope
from services.api.fields import Choice, Strict, Text
from services.api.lists import Instant, ReferenceField, YesOrNo
from services.api.paging import cursor_at, written
from services.api.parser import Body, StrictBlueprint
from services.api.parts import parts
from services.api.problems import InvalidError
from services.api.shapes.referrals import Worklist
from shared.clinical.lifecycle import PRIORITIES, QUEUES, STATUSES
from shared.store.finding import Filter, listed
from shared.store.search import Wanted, search

blueprint = StrictBlueprint("finding", __name__, url_prefix="/v1/referrals", description="What a team works on.")

MOST_CHARACTERS = 200
NAMES = ("reference", "external_id", "mrn")


class ListQuery(Body):
    """Which referrals, and how many; what is not named may be anything."""

    queue: Strict = Choice(QUEUES)
    status: Strict = lists.status(("open", "all", *STATUSES), "open")
    priority: Strict = Choice(PRIORITIES)
    overdue = YesOrNo(load_default=None)
    facility = Text(least=1, most=MOST_CHARACTERS, load_default=None)
    acknowledged_by = Text(least=1, most=MOST_CHARACTERS, load_default=None)
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
    external_id = Text(least=1, most=MOST_CHARACTERS)
    mrn = Text(least=1, most=MOST_CHARACTERS)


@blueprint.route("", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(ListQuery(), location="query")
@blueprint.response(200, Worklist)
def get_referrals(query: dict[str, Any]) -> Response:
    """List referrals over all queues that the key sees.

    Ordered as a worklist: by priority, then `acknowledge_by`, then id. With `since` or `acknowledged_by` a page may be
    short or empty while `next` is not null: go on until it is.
    """
    limit, after = query.pop("limit"), query.pop("cursor")
    seen = scope()
    facility = query.pop("facility")
    if None not in (facility, seen.facility) and facility != seen.facility:
        return answer({"referrals": [], "next": None})
    wanted = Filter(facility=facility or seen.facility, queues=seen.queues, **query)
    with parts().statements.connect() as connection:
        found = listed(connection, wanted, limit=limit, after=after)
    referrals = [representations.referral(each, parts().cipher) for each in found.referrals]
    return answer({"referrals": referrals, "next": found.after and cursor_at(found.after)})


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
    wanted = Wanted(parts().settings.lookup_key, **body)
    with parts().statements.connect() as connection:
        found = search(connection, wanted, scope(), test=query["test"], limit=query["limit"], after=query["cursor"])
    cipher = None if caller().role == "submitter" else parts().cipher
    referrals = [representations.referral(each, cipher) for each in found.referrals]
    return answer({"referrals": referrals, "next": found.after and written([found.after])})
