"""Finds texts that are not those of their events: altered, exchanged, removed without an erasure, or unreadable."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.platform.crypto import IdentityCipher, UnreadableIdentityError
from shared.store.event_log.texts import is_of, open_text
from shared.store.operations.audit import Found

PAGE = 1000

_PAGE = text("""
    select events.id, data, text_id, sealed, event_texts.referral_id = events.referral_id as belongs,
        exists (select from intakes where intakes.id = intake_id and identity_erased_at is null) as kept
    from events left join event_texts on event_texts.id = text_id
    where events.id > :after and (text_id is not null or data ? 'sealed')
    order by events.id limit :limit
""")


@dataclass(frozen=True, slots=True)
class TextFindings:
    """Events whose words do not fit their HMACs; whose words are gone and were not erased; whose key is missing."""

    altered: Found
    missing: Found
    unreadable: Found


def text_findings(session: Session, cipher: IdentityCipher) -> TextFindings:
    """Compare the words of every event with the HMACs that the chain covers, where they still exist."""
    found, after = TextFindings(Found(), Found(), Found()), 0
    while rows := session.execute(_PAGE, {"after": after, "limit": PAGE}).all():
        for row in rows:
            _look_at(found, cipher, row)
        after = rows[-1].id
    return found


def _look_at(found: TextFindings, cipher: IdentityCipher, row: Row[Any]) -> None:
    if row.sealed is None:
        if row.text_id is None:
            found.altered.add(row.id)
        elif row.kept:
            found.missing.add(row.id)
        return
    try:
        key, words = open_text(cipher, row.text_id, row.sealed)
    except UnreadableIdentityError:
        (found.altered if cipher.has_key_of(row.sealed) else found.unreadable).add(row.id)
        return
    if not (row.belongs and is_of(row.data, key, words)):
        found.altered.add(row.id)
