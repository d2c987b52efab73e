"""Seals the chains of events and accesses, and with them the referrals that the events are about.

A seal holds the heads of both chains, each of which covers all that came before, and a MAC over them and the last MAC.
So a thousand events cost five statements, and events that were edited and chained anew do not fit the seals.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.platform import clock
from shared.store.access import access_log
from shared.store.event_log.feed import head
from shared.store.numbering import Head
from shared.store.seals.key_seals import seal_keys_before_switch_over
from shared.store.seals.macs import BEFORE_FIRST, mac
from shared.store.seals.referral_seals import seal_referrals

SEALING = 7_205_734_189  # the advisory lock under which seals are added
LOCK_SECONDS = 0.5
MAX_BATCH = 1000  # events under one seal

_LAST = text(
    "select id, at, number, digest, access_number, access_digest, mac from chain_seals order by id desc limit 1"
)
_NEXT = text(f"""
    select number, digest, referral_id from events where number > :after order by number limit {MAX_BATCH}
""")  # noqa: S608 - a constant
_ADD = text("""
    insert into chain_seals (id, at, number, digest, access_number, access_digest, mac)
    values (:id, :at, :number, :digest, :access_number, :access_digest, :mac)
""")


@dataclass(frozen=True, slots=True)
class Seal:
    """A stored seal of both chains."""

    id: int
    at: datetime
    number: int
    digest: bytes
    access_number: int
    access_digest: bytes
    mac: bytes


def last_seal(session: Session) -> Seal | None:
    """Return the last seal; None before the switch-over."""
    row = session.execute(_LAST).one_or_none()
    return Seal(*row) if row else None


def seal_mac(key: bytes, before: bytes, content: tuple[Any, ...]) -> bytes:
    """Return the MAC of a seal (all but its MAC) and the MAC before."""
    return mac(key, "chain", before, *content)


def switch_over(session: Session, key: bytes) -> None:
    """Add the first seal, over everything that was numbered until now, and seal the keys that were issued."""
    _lock(session)
    if last_seal(session) is None:
        seal_keys_before_switch_over(session, key)
        _add(session, key, None, head(session), access_log.last(session))


def seal_next(session: Session, key: bytes) -> int:
    """Seal the next events, at most MAX_BATCH, and what accesses there are; return how many events there were."""
    _lock(session)
    before = last_seal(session)
    assert before is not None  # noqa: S101 - the caller has seen to the switch-over
    events = session.execute(_NEXT, {"after": before.number}).all()
    accesses = access_log.last(session)
    if not events and accesses.number <= before.access_number:
        return 0
    seal_referrals(session, key, list({row.referral_id for row in events}))
    covered = Head(events[-1].number, events[-1].digest) if events else Head(before.number, before.digest)
    _add(session, key, before, covered, accesses)
    return len(events)


def _add(session: Session, key: bytes, before: Seal | None, events: Head, accesses: Head) -> None:
    content = (
        before.id + 1 if before else 1,
        clock.now(),
        events.number,
        events.digest,
        accesses.number,
        accesses.digest,
    )
    names = ("id", "at", "number", "digest", "access_number", "access_digest")
    sealed = seal_mac(key, before.mac if before else BEFORE_FIRST, content)
    session.execute(_ADD, {**dict(zip(names, content, strict=True)), "mac": sealed})


def _lock(session: Session) -> None:
    session.execute(text("select set_config('lock_timeout', :limit, true)"), {"limit": f"{LOCK_SECONDS}s"})
    session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": SEALING})
