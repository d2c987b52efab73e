"""Streams server-sent events to one reader: first the pages that it missed, then each event as it happens.

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
from shared.platform.crypto import IdentityCipher
from shared.platform.database import Sessions
from shared.store.event_log.feed import Reader, StoredEvent, page

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
KEY_SECONDS = 3.0  # how often the reader's key is looked at again
REST_SECONDS = 1.0  # before the database is asked again after it gave nothing
MAX_BATCH = 200
# Milliseconds after which a client reconnects, and the id from which it goes on, even if no event follows.
BEGIN = b"retry: 2000\nid: %d\n\n"
HEARTBEAT = b":\n\n"
PASSED = b"id: %d\n\n"  # events that the reader may not see


@dataclass(frozen=True, slots=True)
class View:
    """What one reader sees: which events, without which members, and under which name instead of their type."""

    reader: Reader
    cipher: IdentityCipher
    without: frozenset[str] = frozenset()
    name: str | None = None
    with_actor: bool = False


class EventStream:
    """The events after a number, as bytes; it has joined `feed_follower` already and leaves it when it is closed."""

    def __init__(
        self, feed_follower: FeedFollower, sessions: Sessions, after: int, view: View, *, may_go_on: Callable[[], bool]
    ) -> None:
        self._feed_follower, self._sessions = feed_follower, sessions
        self._after, self._view, self._may_go_on = after, view, may_go_on
        self._chunks = self._run()
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Free the slot in the feed follower; the server calls it however the stream ends."""
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
                    if not self._may_go_on():
                        return
                    look_at = time.monotonic() + KEY_SECONDS
                if events or time.monotonic() >= beat_at:
                    beat_at = time.monotonic() + HEARTBEAT_SECONDS
                    yield self._chunk_of(events)
        finally:
            self.close()

    def _next(self) -> Sequence[StoredEvent]:
        events = self._feed_follower.after(self._after, min(KEY_SECONDS, HEARTBEAT_SECONDS))
        if events is None:
            events = self._missed()
        if events:
            self._after = events[-1].number or self._after
        return events

    def _missed(self) -> Sequence[StoredEvent]:
        try:
            with self._sessions() as session:
                events = page(session, self._after, limit=MAX_BATCH)
        except SQLAlchemyError as error:
            log.error("stream.read_failed", error=type(error).__name__)
            events = []
        if not events:
            time.sleep(REST_SECONDS)
        return events

    def _chunk_of(self, events: Sequence[StoredEvent]) -> bytes:
        """Return these events as bytes, with the id alone of the last one where this reader may not see it."""
        if not events:
            return HEARTBEAT
        seen = [event for event in events if self._view.reader.sees(event)]
        chunk = b"".join(map(self._written, seen))
        return chunk if seen and seen[-1] is events[-1] else chunk + PASSED % self._after

    def _written(self, event: StoredEvent) -> bytes:
        view = self._view
        shown = serializers.event(event, view.cipher, without=view.without, with_actor=view.with_actor)
        name = self._view.name or event.type
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.number or 0, name.encode(), dump_json(shown))
