"""Finds what else there is of a case: the referral that one supersedes, open ones of the same patient, its ending.

Found in the statement that reads the referrals, for each one by itself: nothing is stored that could grow stale.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, Uuid, literal_column

from shared.clinical.referral.lifecycle import OPEN_STATUSES
from shared.platform.crypto import IdentityCipher
from shared.store.event_log.texts import opened_data
from shared.tables import ENDED, IS_OPEN, PATIENT, one_of

DUPLICATES_WITHIN_DAYS = 14
MAX_DUPLICATES = 20  # of one referral, the newest: a number under which everything is sent makes no page endless


def _of(table: str) -> str:
    """Return PATIENT of a row of `table`."""
    return PATIENT.replace("patient_hash", f"{table}.patient_hash").replace("mrn_hash", f"{table}.mrn_hash")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An open referral of the same patient from the same facility."""

    id: UUID
    queue: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """By whom and when a referral was completed or returned, and the data of the event that says with which words."""

    by: str
    at: datetime
    data: dict[str, Any]
    text_id: UUID | None
    sealed: bytes | None = field(repr=False)

    def words(self, cipher: IdentityCipher) -> str:
        """Return the reason or the outcome; nothing where it was erased."""
        data = opened_data(cipher, self.data, self.text_id, self.sealed)
        return data.get("reason") or data.get("outcome") or ""


# Columns of a statement that reads referrals from what it calls `page`. For each referral one step into an index that
# has the order, and what follows there up to a number: with a million of one patient as with none.
SUPERSEDES: ColumnElement[UUID | None] = literal_column(
    """(
        select id from referrals where superseded_by = page.id order by form_received_at desc, id desc limit 1
    )""",
    Uuid,
)
# The facility is part of what the hashes are hashes of. To name it here, too, would offer the planner indexes of a
# facility's open referrals, and while statistics say that there are few it walks all of them for each referral.
_OPEN_OF_SAME_PATIENT = f"""
            select id, queue, status, created_at, form_received_at from referrals twin
            where {{same_patient}} and twin.id <> page.id
                and twin.form_received_at between page.form_received_at - interval '{DUPLICATES_WITHIN_DAYS} days'
                    and page.form_received_at + interval '{DUPLICATES_WITHIN_DAYS} days'
                and {IS_OPEN} and {one_of("page.status", OPEN_STATUSES)}
            order by twin.form_received_at desc
            limit {MAX_DUPLICATES}
"""  # noqa: S608 - constants
# Where one of the two has no hash of its normalised number yet, the number as typed may be the same. No twin is found
# by two of these.
_SAME_PATIENT = (
    f"{_of('twin')} = {_of('page')}",
    f"{_of('twin')} = page.mrn_hash and page.mrn_hash <> page.patient_hash",
    f"twin.mrn_hash = {_of('page')} and twin.mrn_hash <> twin.patient_hash",
)
_ALL_OPEN = " union all ".join(f"({_OPEN_OF_SAME_PATIENT.format(same_patient=each)})" for each in _SAME_PATIENT)
DUPLICATES: ColumnElement[Any] = literal_column(
    f"""(
        select json_agg(json_build_array(id, queue, status, created_at) order by form_received_at, id)
        from (
            select * from ({_ALL_OPEN}) found order by form_received_at desc limit {MAX_DUPLICATES}
        ) twins
    )""",  # noqa: S608 - constants
    JSON,
)


def ended(referrals: str) -> ColumnElement[Any]:
    """Return the column that says how a row of `referrals` ended: one step into an index of what ends referrals."""
    return literal_column(
        f"""(
            select json_build_array(by, at, data, text_id, encode(sealed, 'hex'))
            from events left join event_texts on event_texts.id = text_id
            where events.referral_id = {referrals}.id and {ENDED} and {referrals}.status in ('completed', 'returned')
            order by events.id desc limit 1
        )""",  # noqa: S608 - a name of ours
        JSON,
    )


def ending_of(found: tuple[str, str, dict[str, Any], str | None, str | None] | None) -> Ended | None:
    """Return what the column of `ended` says."""
    if not found:
        return None
    by, at, data, text_id, sealed = found
    text = (UUID(text_id) if text_id else None, bytes.fromhex(sealed) if sealed else None)
    return Ended(by, datetime.fromisoformat(at), data, *text)


def duplicates(found: Iterable[tuple[str, str, str, str]] | None) -> list[Duplicate]:
    """Return what DUPLICATES found: nothing, or some, oldest first."""
    return [
        Duplicate(UUID(referral_id), queue, status, datetime.fromisoformat(created_at))
        for referral_id, queue, status, created_at in found or ()
    ]
