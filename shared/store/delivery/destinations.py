"""Stores webhook destinations, each with a secret that signs what is sent there."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from shared.platform.crypto import IdentityCipher
from shared.tables import Delivery, Destination

SECRET_BYTES = 32
PREFIX = "whsec_"  # of Standard Webhooks


@dataclass(frozen=True, slots=True)
class Place:
    """What tells destinations apart: queue (None: a facility's own), facility (None: all), rung (0: none), URL."""

    queue: str | None
    facility: str | None
    escalation_level: int
    url: str


def put(session: Session, place: Place, cipher: IdentityCipher, *, new_secret: bool = False) -> tuple[UUID, str | None]:
    """Have a destination be served; return its id, and its secret if it has a new one: nobody can show it again."""
    found = session.scalar(select(Destination.id).where(_is(place)).with_for_update(key_share=True))
    destination_id = found or uuid7()
    secret = None if found and not new_secret else _new_secret()
    sealed = {} if secret is None else {"secret": cipher.seal(secret.encode(), row=secret_row(destination_id))}
    if found:
        awake = {"status": "active", "failures": 0, "rests_until": None}
        session.execute(update(Destination).where(Destination.id == found).values(**awake, **sealed))
    else:
        columns = {"queue": place.queue, "facility": place.facility, "escalation_level": place.escalation_level}
        session.execute(insert(Destination).values(id=destination_id, url=place.url, **columns, **sealed))
    return destination_id, secret


def secret_of(cipher: IdentityCipher, destination_id: UUID, sealed: bytes) -> str:
    """Return the secret that signs what is sent to the destination, `whsec_…`."""
    return cipher.open(sealed, row=secret_row(destination_id)).decode()


def find(session: Session, destination_id: UUID) -> Destination | None:
    """Return the destination, unless it is unknown or removed."""
    kept = (Destination.id == destination_id, Destination.status != "removed")
    return session.scalars(select(Destination).where(*kept)).one_or_none()


def list_all(session: Session) -> Sequence[tuple[Destination, int, int]]:
    """Return every destination that is not removed, with how many deliveries to it are due and parked."""
    counts = [
        select(func.count()).where(Delivery.destination_id == Destination.id, Delivery.status == status)
        for status in ("due", "parked")
    ]
    statement = select(Destination, *(count.scalar_subquery() for count in counts))
    order = (Destination.queue, Destination.escalation_level, Destination.created_at, Destination.id)
    rows = session.execute(statement.where(Destination.status != "removed").order_by(*order))
    return [(destination, due, parked) for destination, due, parked in rows]


def remove(session: Session, destination_id: UUID) -> bool:
    """Send nothing there any more; return whether there was one to remove."""
    kept = (Destination.id == destination_id, Destination.status != "removed")
    removed = session.scalars(update(Destination).where(*kept).values(status="removed").returning(Destination.id))
    return bool(removed.all())


def _is(place: Place) -> ColumnElement[bool]:
    return and_(
        func.coalesce(Destination.queue, "") == (place.queue or ""),
        func.coalesce(Destination.facility, "") == (place.facility or ""),
        Destination.escalation_level == place.escalation_level,
        Destination.url == place.url,
        Destination.status != "removed",
    )


def secret_row(destination_id: UUID) -> str:
    """Return the name of the row for which the secret of a destination is sealed."""
    return f"destination:{destination_id}"


def _new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
