"""Routes for the event feed: pages for polling, and a stream of server-sent events."""

from typing import Any

from flask import Response, request

from services.api.context import current_context
from services.api.events.schemas import STREAM, Feed
from services.api.events.sse import EventStream, View
from services.api.http.auth import allow, caller, hidden_in_events, reader, still_authorized
from services.api.http.lists import DEFAULT_LIMIT, MAX_LIMIT, EventNumber, Limit, event_number
from services.api.http.parsing.request_parser import Body, StrictBlueprint
from services.api.http.parsing.strict_fields import Choice, Strict
from services.api.http.problems import ProblemError
from services.api.http.responses import json_response
from services.api.schemas import parameters, serializers
from shared.store.event_log.feed import catch_up, head, page_for

blueprint = StrictBlueprint("events", __name__, url_prefix="/v1/events", description="What happened, in one order.")

EVENT_STREAM = "text/event-stream"
FULL_RETRY_SECONDS = "10"


class FeedQuery(Body):
    """Which events, and how many at once."""

    after = EventNumber(
        load_default=None,
        metadata={"minimum": 0, "description": "`next` of the page before; without it a page begins with the first."},
    )
    limit = Limit(
        load_default=DEFAULT_LIMIT,
        metadata={"minimum": 1, "maximum": MAX_LIMIT, "description": "Events of a page; a stream has no end."},
    )
    event: Strict = Choice(("message",))  # the name of all events of a stream, for clients that hear nothing else


@blueprint.route("", methods=["GET"], parameters=[parameters.LAST_EVENT_ID])
@allow("submitter", "auditor", "operator", "admin")
@blueprint.doc(responses={200: {"content": {EVENT_STREAM: STREAM}}})
@blueprint.arguments(FeedQuery(), location="query")
@blueprint.response(200, Feed)
def get_feed(query: dict[str, Any]) -> Response:
    """Read all events in order, or listen to them.

    Each has a number, in the order in which they can be seen: a reader that goes on after `next` never misses one.
    `next` is the number of the last event that was examined. Where a key may not see all, numbers have gaps and a page
    may be short or empty before the end: there is no more yet where `next` is the `after` that was asked for.

    A key with a facility reads what happens to that facility's referrals; one without, what happens to those of all
    facilities but the tests. A submitter reads what happened to its referrals, with `reason` and `outcome` and without
    `note`; not who read them, nor whose they became.

    With `Accept: text/event-stream` the answer is a stream: `id` is the number, `event` the type, `data` the event as
    in a page. It goes on after `Last-Event-ID` or `after`; with neither it begins with what happens from now on. The
    first thing it says is the `id` after which it begins. A comment every 15 seconds says that it lives. It may end at
    any time, and a new one goes on where it ended. With `?event=message` every event is called `message`, for clients
    that listen to nothing else, as `onmessage` of a browser.

    An auditor reads events without what people wrote, which might say whose referral it is. For auditors and admins
    `actor` says through which key, as which person, from which address and in which request it was done.
    """
    catch_up(current_context().sessions)
    if any(kind == EVENT_STREAM and quality for kind, quality in request.accept_mimetypes):
        return _stream(query["after"], query.get("event"))
    after = query["after"] or 0
    with current_context().sessions() as session:
        found = page_for(session, reader(), after, limit=query["limit"])
    cipher, without, with_actor = current_context().cipher, hidden_in_events(), _with_actor()
    events = [serializers.event(each, cipher, without=without, with_actor=with_actor) for each in found.events]
    return json_response({"events": events, "next": found.last})


def _stream(after: int | None, name: str | None) -> Response:
    after = _last_event_id() if request.headers.get("Last-Event-ID") else after
    if after is None:
        with current_context().sessions() as session:
            after = head(session).number
    if not current_context().feed_follower.join():
        raise ProblemError(
            503,
            "This process has too many streams. Try again, or read pages.",
            kind="too-many-streams",
            headers={"Retry-After": FULL_RETRY_SECONDS},
        )
    view = View(reader(), current_context().cipher, hidden_in_events(), name, _with_actor())
    stream = EventStream(
        current_context().feed_follower, current_context().sessions, after, view, may_go_on=still_authorized()
    )
    # A proxy that holds back what it was sent would make a stream of it that comes in heaps.
    return Response(stream, content_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


def _last_event_id() -> int:
    sent = request.headers["Last-Event-ID"]
    try:
        return event_number(sent)
    except ValueError:
        raise ProblemError(400, "Last-Event-ID is no id that a stream gave.") from None


def _with_actor() -> bool:
    return caller().role in ("auditor", "admin")
