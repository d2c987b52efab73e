"""Follows the end of the event feed once for all streams of this process.

One thread looks four times a second while there are streams, numbers what was committed and wakes them all; between two
looks nothing holds a database connection. It starts with the first stream and ends with the last.
"""

import threading
from collections import deque
from collections.abc import Sequence
from itertools import takewhile

import structlog

from shared.platform.database import Sessions
from shared.store.event_log.feed import StoredEvent, catch_up, head, page

log = structlog.get_logger(__name__)

EVERY_SECONDS = 0.25
MAX_BATCH = 200
MAX_BUFFERED = 1000  # events; a stream that is further behind reads pages until it is not


class FeedFollower:
    """What happened last, for at most `most` streams at a time."""

    def __init__(self, sessions: Sessions, most: int) -> None:
        self.ended = False
        self._sessions, self._most = sessions, most
        self._changed = threading.Condition()
        self._streams = 0
        self._thread: threading.Thread | None = None
        self._last: int | None = None  # the last number that was read; None until the thread has looked once
        self._recent: deque[StoredEvent] = deque(maxlen=MAX_BUFFERED)

    def join(self) -> bool:
        """Take a slot for a stream; False where none is free. Each join is followed by a leave."""
        with self._changed:
            if self.ended or self._streams >= self._most:
                return False
            self._streams += 1
            if self._thread is None:
                self._last = None
                self._thread = threading.Thread(target=self._follow, name="feed-follower", daemon=True)
                self._thread.start()
            return True

    def leave(self) -> None:
        """Free the slot."""
        with self._changed:
            self._streams -= 1
            self._changed.notify_all()

    def end(self) -> None:
        """End every stream, because the process stops."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """End every stream, and wait until nobody reads for them any more."""
        self.end()
        with self._changed:
            thread = self._thread
        if thread is not None:
            thread.join()

    def after(self, number: int, seconds: float) -> Sequence[StoredEvent] | None:
        """Return what follows event `number`, waiting for it up to `seconds`; None where that is no longer kept."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.ended or (self._last or 0) > number, seconds) or self.ended:
                return []
            newest_first = takewhile(lambda event: (event.number or 0) > number, reversed(self._recent))
            events = list(newest_first)[::-1]
            return events if events and events[0].number == number + 1 else None

    def _follow(self) -> None:
        while self._is_wanted():
            try:
                events = self._read()
            except Exception as error:  # noqa: BLE001 - all streams wait for this thread: a failure is logged, and the next round tries again
                log.error("feed.read_failed", error=type(error).__name__)
                events = []
            with self._changed:
                self._recent.extend(events)
                if events:
                    self._last = events[-1].number
                    self._changed.notify_all()
                if len(events) < MAX_BATCH:
                    self._changed.wait_for(lambda: self.ended or not self._streams, EVERY_SECONDS)

    def _is_wanted(self) -> bool:
        with self._changed:
            if self._streams and not self.ended:
                return True
            self._thread = None
            self._recent.clear()
            return False

    def _read(self) -> Sequence[StoredEvent]:
        catch_up(self._sessions)
        with self._sessions() as session:
            if self._last is None:
                last = head(session).number
                with self._changed:
                    self._last = last
                    self._changed.notify_all()
            return page(session, self._last, limit=MAX_BATCH)
