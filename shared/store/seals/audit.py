"""Finds what does not fit its seal: events made anew, rows that no event changed, keys that were not issued."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.operations.audit import Found
from shared.store.seals.chain_heads import is_signed
from shared.store.seals.chain_seals import Seal, seal_mac
from shared.store.seals.key_seals import KEY_COLUMNS, key_mac, persons_with_sealed_key
from shared.store.seals.macs import BEFORE_FIRST
from shared.store.seals.referral_seals import STATE, referral_mac

PAGE = 1000
UNSEALED = "1 min"  # after which what was numbered has its seal
# After these, and events of deliveries, the place and the status of a referral are what they were.
INERT = (
    "starts_with(events.type, 'delivery.') or events.type in ('referral.noted', 'referral.identity_corrected', "
    "'referral.escalated')"
)

_SEALS = text("""
    select chain_seals.*, events.digest as found, access_log.digest as access_found
    from chain_seals
    left join events on events.number = chain_seals.number
    left join access_log on access_log.number = chain_seals.access_number
    where chain_seals.id > :after order by chain_seals.id limit :limit
""")
_REFERRALS = text(f"""
    select page.id, last.id as event_id, last.is_old, referrals.queue, referrals.priority, referrals.status,
        {STATE} as state, referral_seals.mac
    from (select id from referrals where id > :after order by id limit :limit) as page
    join referrals on referrals.id = page.id
    join intakes on intakes.id = referrals.intake_id
    left join decisions on decisions.intake_id = referrals.intake_id
    left join lateral (
        select id, number is not null and number <= :sealed as is_old
        from events where referral_id = page.id order by id desc limit 1
    ) as last on true
    left join referral_seals on referral_seals.referral_id = page.id and referral_seals.event_id = last.id
    order by page.id
""")  # noqa: S608 - constants
_MOVED = text(f"""
    select referral_id, event_id from (
        select referral_id, event_id, lag(event_id) over each as event_before,
            (queue, priority, status) <> (lag(queue) over each, lag(priority) over each, lag(status) over each) as moved
        from referral_seals window each as (partition by referral_id order by event_id)
    ) as seals
    where moved and not exists (
        select from events where events.referral_id = seals.referral_id and events.id > event_before
        and events.id <= event_id and not ({INERT})
    ) order by referral_id, event_id
""")  # noqa: S608 - constants
_UNSEALED = text(f"""
    select id from events where number > :sealed and at < now() - interval '{UNSEALED}' order by number limit :limit
""")  # noqa: S608 - constants
_KEYS = text(f"""
    select {KEY_COLUMNS}, mac from api_keys left join key_seals on key_id = api_keys.id
    where revoked_at is null order by api_keys.id
""")  # noqa: S608 - constants
_PEOPLE = text("select id from people where closed_at is null order by id")
_HEADS = text("""
    select number, digest from events where number = any(:numbers)
""")
_ACCESS_HEADS = text("select number, digest from access_log where number = any(:numbers)")
_MACS = text("select id, mac from chain_seals where id = any(:numbers)")


def seal_findings(session: Session, key: bytes) -> dict[str, Found]:
    """Return by check what does not fit its seal."""
    seals, sealed = _broken_seals(session, key)
    return {
        "seal_broken": seals,
        "event_unsealed": _unsealed(session, sealed),
        "referral_changed": _changed_referrals(session, key, sealed),
        "referral_moved": _moved_referrals(session),
        "key_not_issued": _keys(session, key),
        "person_not_added": _people(session, key),
    }


def head_findings(session: Session, key: bytes, heads: Iterable[Mapping[str, Any] | None]) -> Found:
    """Return which of the heads that were kept elsewhere are not signed, or not of this database any more."""
    found, page = Found(), []
    for place, head in enumerate(heads, 1):
        if head is None or not is_signed(key, head):
            found.add(f"line {place}")
            continue
        page.append(head)
        if len(page) == PAGE:
            _compare(session, page, found)
            page = []
    _compare(session, page, found)
    return found


def _compare(session: Session, heads: list[Mapping[str, Any]], found: Found) -> None:
    checks = (
        (_HEADS, "number", "digest", "event"),
        (_ACCESS_HEADS, "access_number", "access_digest", "access"),
        (_MACS, "seal", "mac", "seal"),
    )
    for statement, number, digest, word in checks:
        numbers = [head[number] for head in heads]
        there = {row[0]: bytes(row[1]).hex() for row in session.execute(statement, {"numbers": numbers})}
        for head in heads:
            if head[number] and there.get(head[number]) != head[digest]:
                found.add(f"{word} {head[number]}")


def _broken_seals(session: Session, key: bytes) -> tuple[Found, int]:
    """Return the seals that do not follow each other or do not fit the chains, and the last number that is sealed."""
    found, after, before, sealed = Found(), 0, BEFORE_FIRST, 0
    while rows := session.execute(_SEALS, {"after": after, "limit": PAGE}).all():
        for row in rows:
            seal = Seal(*row[:7])
            content = (seal.id, seal.at, seal.number, seal.digest, seal.access_number, seal.access_digest)
            fits = (
                seal.id == after + 1
                and seal.mac == seal_mac(key, before, content)
                and (seal.number == 0 or row.found == seal.digest)
                and (seal.access_number == 0 or row.access_found == seal.access_digest)
            )
            if not fits:
                found.add(seal.id)
            after, before, sealed = seal.id, seal.mac, seal.number
    return found, sealed


def _unsealed(session: Session, sealed: int) -> Found:
    found = Found()
    for each in session.scalars(_UNSEALED, {"sealed": sealed, "limit": PAGE}):
        found.add(each)
    return found


def _changed_referrals(session: Session, key: bytes, sealed: int) -> Found:
    """Return the referrals that are not as they, their form and their decision were sealed after their last event."""
    found, after = Found(), "00000000-0000-0000-0000-000000000000"
    while rows := session.execute(_REFERRALS, {"after": after, "limit": PAGE, "sealed": sealed}).all():
        for row in rows:
            waits = row.mac is None and not row.is_old  # its last event is yet to be sealed
            if not waits and row.mac != referral_mac(key, row):
                found.add(row.id)
        after = str(rows[-1].id)
    return found


def _moved_referrals(session: Session) -> Found:
    """Return the referrals whose place or status changed between two seals with no event that changes it."""
    found = Found()
    for row in session.execute(_MOVED):
        found.add(row.referral_id)
    return found


def _keys(session: Session, key: bytes) -> Found:
    found = Found()
    for row in session.execute(_KEYS):
        if row.mac != key_mac(key, row[:-1]):  # type: ignore[arg-type] # the columns of a key, in order
            found.add(row.id)
    return found


def _people(session: Session, key: bytes) -> Found:
    found, added = Found(), persons_with_sealed_key(session, key)
    for person_id in session.scalars(_PEOPLE):
        if person_id not in added:
            found.add(person_id)
    return found
