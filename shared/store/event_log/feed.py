"""Numbers events after their commit, and reads them in that order."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Select, literal, select, text
from sqlalchemy.orm import Session

from shared.platform.crypto import IdentityCipher
from shared.store.event_log.events import HIDDEN_FROM_SENDERS
from shared.store.event_log.texts import opened_data
from shared.store.numbering import Numbering
from shared.tables import Event, EventText, Referral

NUMBERING = 7_205_734_186  # the advisory lock under which events get their numbers
MAX_BATCH = 1000
MAX_EXAMINED = 1000  # events for one page, of which its reader may see few
MAX_ROUNDS = 10  # then the reader reads; the next one numbers the rest


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with what its referral says of who may see it; without a number for a moment after its commit.

    Its data is as the chain has it: `opened` is for readers.
    """

    number: int | None
    type: str
    at: datetime
    referral_id: UUID
    intake_id: UUID
    by: str | None
    data: dict[str, Any]
    reference: str
    facility: str
    test: bool
    actor: dict[str, Any] | None
    text_id: UUID | None = None
    sealed: bytes | None = field(default=None, repr=False)  # the words that belong to it

    def opened(self, cipher: IdentityCipher) -> "StoredEvent":
        """Return the event with the words that people wrote in its data."""
        return replace(self, data=opened_data(cipher, self.data, self.text_id, self.sealed), sealed=None)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads events: of one facility, or of all that are no tests; `as_sender` sees what concerns senders alone."""

    facility: str | None = None
    as_sender: bool = False
    all_kinds: bool = False  # tests, too

    def sees(self, event: StoredEvent) -> bool:
        """Say whether this reader may see that the event happened."""
        if self.as_sender and (not event.type.startswith("referral.") or event.type in HIDDEN_FROM_SENDERS):
            return False
        if self.facility is None:
            return self.all_kinds or not event.test
        return event.facility == self.facility


@dataclass(frozen=True, slots=True)
class Page:
    """Events that a reader may see; `last` is the number of the last one examined, `ended` that none follows yet."""

    events: Sequence[StoredEvent]
    last: int
    ended: bool


_EVENT: Select[Any] = (
    select(
        *(Event.number, Event.type, Event.at, Event.referral_id, Event.intake_id, Event.by, Event.data),
        *(Referral.reference, Referral.facility, Referral.test, Event.actor, Event.text_id, EventText.sealed),
    )
    .join(Referral, Referral.id == Event.referral_id)
    .outerjoin(EventText, EventText.id == Event.text_id)
)

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


def digest(before: bytes, place: int, *content: Any) -> bytes:
    """Return the SHA-256 of event number `place` (type, at, referral, intake, by, data, actor) and the digest before.

    Without an actor the content ends with the data, as it did before there were actors.
    """
    if content[-1] is None:
        content = content[:-1]
    written = orjson.dumps([place, *content], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(before + written).digest()


_NUMBERING = Numbering(
    failed="events.numbering_failed",
    lock=NUMBERING,
    batch=MAX_BATCH,
    rounds=MAX_ROUNDS,
    any_unnumbered=_ANY,
    last=_LAST,
    unnumbered=_UNNUMBERED,
    number=_NUMBER,
    digest=digest,
)
catch_up, number, head = _NUMBERING.catch_up, _NUMBERING.number_batch, _NUMBERING.head


def page(session: Session, after: int, *, limit: int) -> Sequence[StoredEvent]:
    """Return the first `limit` events with a number above `after`, in order, whoever may see them."""
    rows = session.execute(_EVENT.where(Event.number > after).order_by(Event.number).limit(limit))
    return [StoredEvent(*row) for row in rows]


def page_for(session: Session, reader: Reader, after: int, *, limit: int) -> Page:
    """Return the first `limit` events after a number that the reader may see, out of at most MAX_EXAMINED."""
    return _seen(lambda place, count: page(session, place, limit=count), reader.sees, after, limit)


def timeline(session: Session, referral_id: UUID, reader: Reader, after: int, *, limit: int) -> Page:
    """Return a page of what happened to one referral, oldest first; what has no number yet stands at the end.

    Whether the reader may see the referral is for the caller to say.
    """
    # An id that the planner is not told: of one with most of all events, it would walk those of all others.
    this = select(literal(referral_id)).scalar_subquery()
    of_referral = _EVENT.where(Event.referral_id == this)

    def read(place: int, count: int) -> Sequence[StoredEvent]:
        rows = session.execute(of_referral.where(Event.number > place).order_by(Event.number).limit(count))
        return [StoredEvent(*row) for row in rows]

    numbered = _seen(read, reader.sees, after, limit)
    if not numbered.ended or len(numbered.events) == limit:
        return numbered
    room = limit - len(numbered.events)
    rows = session.execute(of_referral.where(Event.number.is_(None)).order_by(Event.id).limit(room + 1)).all()
    fresh = [event for event in (StoredEvent(*row) for row in rows[:room]) if reader.sees(event)]
    return Page([*numbered.events, *fresh], numbered.last, ended=len(rows) <= room)


def _seen(
    read: Callable[[int, int], Sequence[StoredEvent]], sees: Callable[[StoredEvent], bool], after: int, limit: int
) -> Page:
    """Return a page of what may be seen; while that is less than asked for, read on, in steps that grow."""
    events, examined, step = list[StoredEvent](), 0, limit + 1
    while examined < MAX_EXAMINED:
        found = read(after, step)
        for event in found:
            if len(events) == limit:
                return Page(events, after, ended=False)
            after = event.number or after
            if sees(event):
                events.append(event)
        if len(found) < step:
            return Page(events, after, ended=True)
        examined, step = examined + len(found), MAX_EXAMINED
    return Page(events, after, ended=False)


def latest_id(connection: Connection | Session) -> int:
    """Return the id of the event that was added last, numbered or not; 0 before the first."""
    return int(connection.scalar(_LATEST) or 0)
