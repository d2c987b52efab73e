"""API keys: issued once, compared as hashes, revoked but never forgotten.

A key reads `rk_<id>_<secret>`. Its secret is 256 random bits, shown when it is issued and kept only as SHA-256.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.orm import Session

from shared.store.access import facilities
from shared.tables import ApiKey, Facility

PREFIX = "rk"
ID_BYTES = 6
SECRET_BYTES = 32

_LIVE = (ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()))


@dataclass(frozen=True, slots=True)
class Key:
    """A live key: whose it is and what it may; `facility` is None for staff of all.

    `closed` and `test` say of its facility that it may not post any more, and that its referrals are no real ones.
    """

    id: str
    secret_hash: bytes
    role: str
    facility: str | None
    queues: tuple[str, ...]
    closed: bool = False
    test: bool = False

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
) -> tuple[str, str]:
    """Store a new key; return its id and the whole key, which nobody can show again.

    Raises UnknownFacilityError where it is for a facility that is not registered.
    """
    facilities.require(session, facility)
    key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    values = {"role": role, "facility": facility, "queues": list(queues), "expires_at": expires_at}
    session.execute(insert(ApiKey).values(id=key_id, secret_hash=_hash(secret), **values))
    return key_id, f"{PREFIX}_{key_id}_{secret}"


def find_live(connection: Connection | Session, key_id: str) -> Key | None:
    """Return the key called `key_id`, unless it is unknown, expired or revoked."""
    columns = (ApiKey.id, ApiKey.secret_hash, ApiKey.role, ApiKey.facility, ApiKey.queues)
    of_facility = (Facility.closed_at.is_not(None).label("closed"), (Facility.kind == facilities.TEST).label("test"))
    found = select(*columns, *of_facility).outerjoin(Facility, Facility.name == ApiKey.facility)
    row = connection.execute(found.where(ApiKey.id == key_id, *_LIVE)).one_or_none()
    if row is None:
        return None
    queues = tuple(row.queues)
    return Key(row.id, row.secret_hash, row.role, row.facility, queues, closed=bool(row.closed), test=bool(row.test))


def list_all(session: Session) -> Sequence[ApiKey]:
    """Return every key that was ever issued, the oldest first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)).all()


def revoke(session: Session, key_id: str) -> bool:
    """Revoke the key; return whether there was one to revoke."""
    statement = update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now())
    return bool(session.scalars(statement.returning(ApiKey.id)).all())


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
