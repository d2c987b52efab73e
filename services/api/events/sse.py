"""Streams server-sent events to one reader: missed events page by page, then new ones.

A WSGI iterable on a thread of its own, which holds no database connection while nothing happens. A reader that is gone
is noticed when something is sent to it, at the latest the next heartbeat.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.api.events.feed_follower import FeedFollower
from services.api.http.responses import dump_json
from services.api.schemas import serializers
from shared.platform.database import Sessions
from shared.store.access.scope import Scope
from shared.store.event_log.feed import page, seen
from shared.tables import Event

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
KEY_SECONDS = 3.0  # how often the reader's key is looked at again
REST_SECONDS = 1.0  # before the database is asked again after it gave nothing
MAX_BATCH = 200
# Milliseconds after which a client comes back, and where it begins: so it knows that even if it hears nothing more.
BEGIN = b"retry: 2000\nid: %d\n\n"
HEARTBEAT = b":\n\n"


@dataclass(frozen=True, slots=True)
class Reader:
    """What a reader sees: rows of its scope, with or without what people wrote, for as long as it `may_go_on`."""

    scope: Scope
    with_words: bool
    may_go_on: Callable[[], bool]
    with_actor: bool = False


class EventStream:
    """The events after a number, as bytes; it has joined `feed_follower` already and leaves it when it is closed."""

    def __init__(self, feed_follower: FeedFollower, sessions: Sessions, after: int, reader: Reader) -> None:
        self._feed_follower, self._sessions = feed_follower, sessions
        self._after, self._reader = after, reader
        self._chunks = self._run()
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Give the place back; a server calls it however the stream ends."""
        if not self._closed:
            self._closed = True
            self._feed_follower.leave()

    def _run(self) -> Iterator[bytes]:
        try:
            yield BEGIN % self._after
            look_at = time.monotonic() + KEY_SECONDS
            beat_at = time.monotonic() + HEARTBEAT_SECONDS
            while not self._feed_follower.ended:
                events = self._next()
                if time.monotonic() >= look_at:
                    if not self._reader.may_go_on():
                        return
                    look_at = time.monotonic() + KEY_SECONDS
                if events or time.monotonic() >= beat_at:
                    beat_at = time.monotonic() + HEARTBEAT_SECONDS
                    yield b"".join(map(self._written, events)) or HEARTBEAT
        finally:
            self.close()

    def _next(self) -> Sequence[Event]:
        events = self._feed_follower.after(self._after, min(KEY_SECONDS, HEARTBEAT_SECONDS))
        if events is None:
            return self._missed()
        return self._seen(events)

    def _missed(self) -> Sequence[Event]:
        try:
            with self._sessions() as session:
                events = page(session, self._after, limit=MAX_BATCH)
        except SQLAlchemyError as error:
            return self._rest(error)
        if not events:
            time.sleep(REST_SECONDS)
        return self._seen(events)

    def _seen(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return those that the reader sees, and go on after all of them."""
        shown = events
        if events and self._reader.scope.facility is not None:
            try:
                with self._sessions() as session:
                    shown = seen(session, events, self._reader.scope)
            except SQLAlchemyError as error:
                return self._rest(error)
        if events:
            self._after = events[-1].number or self._after
        return shown

    def _rest(self, error: SQLAlchemyError) -> Sequence[Event]:
        log.error("stream.read_failed", error=type(error).__name__)
        time.sleep(REST_SECONDS)
        return []

    def _written(self, event: Event) -> bytes:
        shows = {"with_words": self._reader.with_words, "with_actor": self._reader.with_actor}
        content = dump_json(serializers.event(event, **shows))
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.number or 0, event.type.encode(), content)
