"""API keys: issued once, compared as hashes, expired or revoked but never forgotten.

A key reads `rk_<id>_<secret>`. Its secret is 256 random bits, shown when it is issued and kept only as SHA-256.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from shared.store.access import facilities
from shared.store.seals.key_seals import seal_issued_key
from shared.tables import ApiKey, Facility, Person

PREFIX = "rk"
ID_BYTES = 6
SECRET_BYTES = 32
LIFETIME = timedelta(days=365)
OVERLAP = timedelta(days=7)  # in which a key that was rotated opens beside the new one
USED_EVERY = timedelta(minutes=1)  # how exactly the last use is recorded

_KEY = cast(SqlTable, ApiKey.__table__)
_LIVE = (ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()))


@dataclass(frozen=True, slots=True)
class Key:
    """A live key: whose it is and what it may; `facility` is None for staff of all, `person` for a system or a team.

    `closed` and `test` say of its facility that it may not post any more, and that its referrals are no real ones.
    """

    id: str
    secret_hash: bytes
    role: str
    facility: str | None
    queues: tuple[str, ...]
    closed: bool = False
    test: bool = False
    person: str | None = None  # the name of the one whose key it is

    def opens(self, secret: str) -> bool:
        """Say whether `secret` is this key's, in constant time."""
        return hmac.compare_digest(self.secret_hash, _hash(secret))


NOBODY = Key("", bytes(32), "", None, ())  # opens for no secret, in the same time as a key that exists


def split(text: str) -> tuple[str, str] | None:
    """Return id and secret of what a caller presented as a key, or None if it has not the form of one."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if prefix == PREFIX and key_id and secret else None


def issue(
    session: Session,
    *,
    role: str,
    facility: str | None = None,
    queues: Sequence[str] = (),
    expires_at: datetime | None = None,
    lifetime: timedelta = LIFETIME,
    label: str | None = None,
    person_id: str | None = None,
) -> tuple[str, str]:
    """Store a new key; return its id and the whole key, which nobody can show again.

    It expires at `expires_at`, or after `lifetime`. Raises UnknownFacilityError where it is for a facility that is not
    registered.
    """
    facilities.require(session, facility)
    key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    values: dict[str, Any] = {
        "role": role,
        "facility": facility,
        "queues": list(queues),
        "expires_at": expires_at or func.now() + lifetime,
        "label": label,
        "person_id": person_id,
    }
    session.execute(insert(ApiKey).values(id=key_id, secret_hash=_hash(secret), **values))
    seal_issued_key(session, key_id)
    return key_id, f"{PREFIX}_{key_id}_{secret}"


def find_live(connection: Connection | Session, key_id: str) -> Key | None:
    """Return the key called `key_id`, unless it is unknown, expired, revoked, or of a person who is closed."""
    columns = (ApiKey.id, ApiKey.secret_hash, ApiKey.role, ApiKey.facility, ApiKey.queues, Person.name)
    of_facility = (Facility.closed_at.is_not(None).label("closed"), (Facility.kind == facilities.TEST).label("test"))
    found = (
        select(*columns, *of_facility)
        .outerjoin(Facility, Facility.name == ApiKey.facility)
        .outerjoin(Person, Person.id == ApiKey.person_id)
    )
    row = connection.execute(found.where(ApiKey.id == key_id, Person.closed_at.is_(None), *_LIVE)).one_or_none()
    if row is None:
        return None
    of = {"closed": bool(row.closed), "test": bool(row.test)}
    return Key(row.id, row.secret_hash, row.role, row.facility, tuple(row.queues), person=row.name, **of)


def record_use(connection: Connection | Session, key_id: str) -> None:
    """Keep when the key was last used, to the minute."""
    long_ago = or_(_KEY.c.last_used_at.is_(None), _KEY.c.last_used_at < func.now() - USED_EVERY)
    connection.execute(update(_KEY).where(_KEY.c.id == key_id, long_ago).values(last_used_at=func.now()))


def rotate(session: Session, key_id: str, overlap: timedelta = OVERLAP) -> tuple[str, str] | None:
    """Issue a key in the place of a live one, which still opens until `overlap` is over; None where it is not live.

    A key that was rotated before gets no second successor.
    """
    live = select(ApiKey).where(ApiKey.id == key_id, ApiKey.replaced_by.is_(None), *_LIVE)
    old = session.scalars(live.with_for_update()).one_or_none()
    if old is None:
        return None
    new = issue(
        session, role=old.role, facility=old.facility, queues=old.queues, label=old.label, person_id=old.person_id
    )
    ends = func.least(ApiKey.expires_at, func.now() + overlap)  # of what is null, the other
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(replaced_by=new[0], expires_at=ends))
    return new


def expiring(session: Session, within: timedelta) -> Sequence[ApiKey]:
    """Return live keys that expire soon, and that no other has replaced, the first to expire first."""
    soon = (ApiKey.expires_at < func.now() + within, ApiKey.replaced_by.is_(None))
    return session.scalars(select(ApiKey).where(*_LIVE, *soon).order_by(ApiKey.expires_at, ApiKey.id)).all()


def replaced_in_use(session: Session) -> Sequence[ApiKey]:
    """Return live keys that were replaced, but were used after the key that replaces them was issued."""
    new = _KEY.alias("new")
    used = ApiKey.last_used_at > new.c.created_at + USED_EVERY
    return session.scalars(
        select(ApiKey).join(new, new.c.id == ApiKey.replaced_by).where(*_LIVE, used).order_by(ApiKey.expires_at)
    ).all()


def list_all(session: Session) -> Sequence[ApiKey]:
    """Return every key that was ever issued, the oldest first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)).all()


def names_of_people(session: Session) -> dict[str, str]:
    """Return the names of all persons by their ids."""
    return {row.id: row.name for row in session.execute(select(Person.id, Person.name))}


def revoke(session: Session, key_id: str) -> bool:
    """Revoke the key; return whether there was one to revoke."""
    statement = update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now())
    return bool(session.scalars(statement.returning(ApiKey.id)).all())


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
