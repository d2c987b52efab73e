"""Verifies the chain of digests over all events: computed again, it shows changed and removed events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.store.event_log.erased import is_rest_of, rests_between
from shared.store.event_log.feed import digest
from shared.store.numbering import NOTHING, Head

MAX_BATCH = 1000

_PAGE = text(f"""
    select number, digest, type, at, referral_id, intake_id, by, data, actor from events
    where number > :after order by number limit {MAX_BATCH}
""")  # noqa: S608 - a constant
_ONE = text("select digest from events where number = :number")


@dataclass(frozen=True, slots=True)
class Chain:
    """What holds: the last event up to which it does, and the number of the first that does not, if there is one."""

    head: Head
    broken: int | None


def check(session: Session, since: int = 0, known: bytes | None = None, *, key: bytes | None = None) -> Chain:
    """Compute every digest after event `since` again, a page at a time.

    `known` is the digest of that event as it was kept elsewhere; without it the stored one is believed. `key` is
    CHAIN_KEY, by which what erasures left is compared.
    """
    before = NOTHING if since == 0 else Head(since, session.scalar(_ONE, {"number": since}) or b"")
    if not before.digest or (known is not None and known != before.digest):
        return Chain(NOTHING, since)
    while found := session.execute(_PAGE, {"after": before.number}).all():
        rests = rests_between(session, before.number, found[-1].number)
        before, broken = _follow(before, found, rests, key)
        if broken is not None:
            return Chain(before, broken)
    return Chain(before, None)


def _follow(
    before: Head, found: Sequence[Row[Any]], rests: Mapping[int, bytes], key: bytes | None
) -> tuple[Head, int | None]:
    for row in found:
        expected = before.number + 1
        if row.number != expected or not _agrees(row, before.digest, rests.get(row.number), key):
            return before, expected
        before = Head(expected, row.digest)
    return before, None


def _agrees(row: Row[Any], before: bytes, rest: bytes | None, key: bytes | None) -> bool:
    if rest is not None:
        return is_rest_of(rest, key, row.number, *row[2:])
    # While the release before still runs, it may give an event its digest, and knows of no actor.
    of_release_before = (*row[2:-1], None)
    return row.digest in (digest(before, row.number, *row[2:]), digest(before, row.number, *of_release_before))
