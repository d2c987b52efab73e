"""Numbers events after their commit, and reads them in that order.

Numbers are given under one lock, so a reader that has seen number n will never see a smaller one appear: they have no
gaps and follow the order in which events became visible. Each digest covers the event and the digest before it, so a
change of what was numbered shows.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from psycopg.errors import LockNotAvailable, QueryCanceled
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared.platform.database import Sessions
from shared.store.access.scope import Scope
from shared.tables import Event, Intake

log = structlog.get_logger(__name__)

NUMBERING = 7_205_734_186  # the advisory lock under which events get their numbers
LOCK_SECONDS = 0.5  # numbering takes milliseconds; who waits longer stands behind a process that is frozen
MAX_BATCH = 1000
MAX_ROUNDS = 10  # then the reader reads; the next one numbers the rest


@dataclass(frozen=True, slots=True)
class Head:
    """The last event there is: kept outside the database, it shows later that nothing before it was changed."""

    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"


NOTHING = Head(0, bytes(32))  # what stands before the first event

_LAST = text("select number, digest from events where number is not null order by number desc limit 1")
# Not `exists`, which forgets the order: it leads into the index of just these.
ANY_UNNUMBERED = "(select true from events where number is null order by id limit 1) is not null"
_LATEST = text("select id from events order by id desc limit 1")
_ANY = text(f"select {ANY_UNNUMBERED}")
_UNNUMBERED = text(f"""
    select id, type, at, referral_id, intake_id, by, data, actor from events where number is null order by id
    limit {MAX_BATCH}
""")  # noqa: S608 - a constant
_NUMBER = text("""
    update events set number = given.number, digest = given.digest
    from unnest(cast(:ids as bigint[]), cast(:numbers as bigint[]), cast(:digests as bytea[]))
        as given (id, number, digest)
    where events.id = given.id
""")


def catch_up(sessions: Sessions) -> None:
    """Number what was committed until now, in transactions of its own.

    Where that takes too long, because a frozen process holds the lock, the caller goes on with the events as they are:
    what has no number yet gets it later, and nobody reads past it. Raises whatever else the database says.
    """
    try:
        for _ in range(MAX_ROUNDS):
            with sessions.begin() as session:
                if number(session) < MAX_BATCH:
                    break
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable | QueryCanceled):
            raise
        log.warning("events.numbering_failed", error=type(error.orig).__name__)


def number(session: Session) -> int:
    """Give the oldest events without a number theirs, at most MAX_BATCH; return how many there were."""
    if not session.scalar(_ANY):
        return 0
    session.execute(text("select set_config('lock_timeout', :limit, true)"), {"limit": f"{LOCK_SECONDS}s"})
    session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING})
    last = head(session)
    found = session.execute(_UNNUMBERED).all()
    digests = [last.digest]
    numbers = range(last.number + 1, last.number + 1 + len(found))
    for place, row in zip(numbers, found, strict=True):
        digests.append(digest(digests[-1], place, *row[1:]))
    session.execute(_NUMBER, {"ids": [row.id for row in found], "numbers": list(numbers), "digests": digests[1:]})
    return len(found)


def digest(before: bytes, place: int, *content: Any) -> bytes:
    """Return the SHA-256 of event number `place` (type, at, referral, intake, by, data, actor) and the digest before.

    Without an actor the content ends with the data, as it did before there were actors.
    """
    if content[-1] is None:
        content = content[:-1]
    written = orjson.dumps([place, *content], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(before + written).digest()


def head(session: Session) -> Head:
    """Return number and digest of the last numbered event; NOTHING where there is none."""
    row = session.execute(_LAST).one_or_none()
    return Head(*row) if row else NOTHING


def page_seen(session: Session, after: int, scope: Scope, *, limit: int) -> tuple[Sequence[Event], int]:
    """Return the first `limit` events above `after` that `scope` sees, and the number of the last one examined.

    For one facility at most MAX_BATCH are examined: a page costs the same however rare its events are.
    """
    if scope.facility is None:
        events = page(session, after, limit=limit)
        return events, _last(events, after)
    examined = page(session, after, limit=MAX_BATCH)
    events = seen(session, examined, scope)[: limit + 1]
    if len(events) > limit:
        return events[:limit], _last(events[:limit], after)
    return events, _last(examined, after)


def seen(session: Session, events: Sequence[Event], scope: Scope) -> Sequence[Event]:
    """Return those of `events` that `scope` sees."""
    if scope.facility is None or not events:
        return events
    of_facility = select(Intake.id).where(
        Intake.id.in_({event.intake_id for event in events}), Intake.facility == scope.facility
    )
    own = set(session.scalars(of_facility))
    return [event for event in events if event.intake_id in own]


def page(session: Session, after: int, *, limit: int) -> Sequence[Event]:
    """Return the first `limit` events with a number above `after`, in order."""
    return session.scalars(select(Event).where(Event.number > after).order_by(Event.number).limit(limit)).all()


def latest_id(connection: Connection | Session) -> int:
    """Return the id of the event that was added last, numbered or not; 0 before the first."""
    return int(connection.scalar(_LATEST) or 0)


def _last(events: Sequence[Event], after: int) -> int:
    return (events[-1].number or after) if events else after
