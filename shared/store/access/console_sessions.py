"""Sessions of the console: opened at sign-in, found by the keyed hash of the cookie's token, ended.

A token says of which kind its session is and which API key opened it. The key of the hash is not in the database: with
the service's password alone nobody can add a session, or turn one into another's.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.store.seals.macs import mac
from shared.tables import ConsoleSession

IDLE = timedelta(minutes=15)  # without a request that a person made
LIFETIMES = {"person": timedelta(hours=12), "wall": timedelta(days=30)}
SEEN_EVERY = timedelta(seconds=20)  # how exactly the last request is recorded
MAX_EXPIRED = 1000  # removed at one sign-in
TOKEN_BYTES = 32

_IS_LIVE = (
    ConsoleSession.expires_at > func.now(),
    (ConsoleSession.kind == "wall") | (ConsoleSession.seen_at > func.now() - IDLE),
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session; `name` is None for a wall screen."""

    token_hash: bytes
    kind: str
    key_id: str
    name: str | None
    seen_at: datetime
    expires_at: datetime


def hash_of(key: bytes, token: str) -> bytes:
    """Return the hash under which the session of a cookie's token is kept."""
    return mac(key, "console session", token)


def open_session(session: Session, key: bytes, *, kind: str, key_id: str, name: str | None, former: str) -> str:
    """Store a new session and return its token; remove some of those that have expired.

    The session of `former`, the token that the browser had, ends: it must not outlive its cookie.
    """
    end_session(session, hash_of(key, former))
    expired = select(ConsoleSession.token_hash).where(ConsoleSession.expires_at <= func.now()).limit(MAX_EXPIRED)
    session.execute(delete(ConsoleSession).where(ConsoleSession.token_hash.in_(expired)))
    token = f"{secrets.token_urlsafe(TOKEN_BYTES)}.{kind}.{key_id}"
    values = {"token_hash": hash_of(key, token), "kind": kind, "key_id": key_id, "name": name}
    session.execute(insert(ConsoleSession).values(expires_at=func.now() + LIFETIMES[kind], **values))
    return token


def find_session(connection: Connection | Session, key: bytes, token: str) -> SignedIn | None:
    """Return the live session of a token, or None; also where the row is not what the token says."""
    _, kind, key_id = (*token.split("."), "", "")[:3]
    same = (
        ConsoleSession.token_hash == hash_of(key, token),
        ConsoleSession.kind == kind,
        ConsoleSession.key_id == key_id,
    )
    columns = (getattr(ConsoleSession, name) for name in SignedIn.__slots__)
    found = connection.execute(select(*columns).where(*same, *_IS_LIVE)).one_or_none()
    return SignedIn(*found) if found else None


def record_seen(connection: Connection | Session, token_hash: bytes) -> None:
    """Extend the idle time of a session, at most once in SEEN_EVERY."""
    connection.execute(
        update(ConsoleSession)
        .where(ConsoleSession.token_hash == token_hash, ConsoleSession.seen_at < func.now() - SEEN_EVERY)
        .values(seen_at=func.now())
    )


def end_session(session: Session, token_hash: bytes) -> None:
    """End one session."""
    session.execute(delete(ConsoleSession).where(ConsoleSession.token_hash == token_hash))


def end_sessions_of(session: Session, key_id: str, name: str) -> int:
    """End every session that this person opened with this key; return how many."""
    mine = (ConsoleSession.key_id == key_id, ConsoleSession.name == name)
    return len(session.execute(delete(ConsoleSession).where(*mine).returning(ConsoleSession.key_id)).all())
