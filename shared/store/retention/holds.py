"""Legal holds: nothing of a case that is held is erased, by age or on request, until the hold is released."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.chain_locks import lock_identity

_FIRST = text("""
    select coalesce(first_version, intakes.id) from referrals join intakes on intakes.id = intake_id
    where reference = :reference
""")
_HOLD = text("""
    insert into retention_holds (first_version, held_by)
    select cast(:first as uuid), :by where not exists (
        select from retention_holds where first_version = :first and released_at is null
    ) returning first_version
""")
_RELEASE = text("""
    update retention_holds set released_at = now(), released_by = :by
    where first_version = :first and released_at is null returning first_version
""")


def hold(session: Session, reference: str, by: str) -> bool | None:
    """Hold the case of a referral; return whether it was not held before, None where there is no such referral."""
    return _change(session, _HOLD, reference, by)


def release(session: Session, reference: str, by: str) -> bool | None:
    """Release the case of a referral; return whether it was held, None where there is no such referral."""
    return _change(session, _RELEASE, reference, by)


def _change(session: Session, statement: object, reference: str, by: str) -> bool | None:
    first: UUID | None = session.scalar(_FIRST, {"reference": reference})
    if first is None:
        return None
    lock_identity(session, first)  # not while an erasure looks at it
    return session.execute(statement, {"first": first, "by": by}).first() is not None  # type: ignore[call-overload]
