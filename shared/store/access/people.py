"""Persons: added, listed and closed; each acts under its own name, by a key of its own or by single sign-on."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from shared.store.access.keys import LIFETIME, find_live, issue
from shared.store.seals.key_seals import CHAIN_KEY, persons_with_sealed_key
from shared.tables import ApiKey, Person

ID_BYTES = 6
SIGN_ON = "single sign-on"  # the label of a key whose secret nobody has: sessions refer to it
FOREVER = timedelta(days=36_500)


class NameTakenError(Exception):
    """Another person, who is not closed, has this name or login."""


def add(
    session: Session,
    *,
    name: str,
    role: str,
    facility: str | None = None,
    queues: Sequence[str] = (),
    login: str | None = None,
) -> Person:
    """Store a new person; raises NameTakenError."""
    taken = select(Person.id).where(
        Person.closed_at.is_(None), (Person.name == name) | (Person.login.is_not(None) & (Person.login == login))
    )
    if session.scalars(taken.limit(1)).first() is not None:
        raise NameTakenError
    values = {"name": name, "role": role, "facility": facility, "queues": list(queues), "login": login}
    statement = insert(Person).values(id=secrets.token_hex(ID_BYTES), **values)
    return session.scalars(statement.returning(Person)).one()


def issue_key(
    session: Session, person: Person, *, label: str | None = None, lifetime: timedelta = LIFETIME
) -> tuple[str, str]:
    """Issue a key to a person; return its id and the whole key."""
    return issue(
        session,
        role=person.role,
        facility=person.facility,
        queues=person.queues,
        person_id=person.id,
        label=label,
        lifetime=lifetime,
    )


def find_open(session: Session, name: str) -> Person | None:
    """Return the person of this name who is not closed."""
    return session.scalars(select(Person).where(Person.name == name, Person.closed_at.is_(None))).one_or_none()


def list_all(session: Session) -> Sequence[Person]:
    """Return every person that was ever added, the oldest first."""
    return session.scalars(select(Person).order_by(Person.created_at, Person.id)).all()


def close(session: Session, name: str) -> bool:
    """Close a person and revoke the keys of that person; return whether there was one to close."""
    statement = update(Person).where(Person.name == name, Person.closed_at.is_(None)).values(closed_at=func.now())
    person_id = session.scalars(statement.returning(Person.id)).one_or_none()
    if person_id is None:
        return False
    session.execute(
        update(ApiKey).where(ApiKey.person_id == person_id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now())
    )
    return True


@dataclass(frozen=True, slots=True)
class SignedOn:
    """The name of a person, and the key to which a session of that person refers."""

    name: str
    key_id: str


def sign_on(session: Session, login: str) -> SignedOn | None:
    """Return the person with this login and the key by which that person signs on; None where there is no such person.

    The key is made at the first sign-on. Its secret is thrown away, so it opens nothing by itself. A person who was not
    added by `people add` gets none: the key would be sealed, and an audit would take both for genuine.
    """
    open_ = select(Person).where(Person.login == login, Person.closed_at.is_(None)).with_for_update()
    person = session.scalars(open_).one_or_none()
    if person is None or not _was_added(session, person):
        return None
    own = select(ApiKey.id).where(ApiKey.person_id == person.id, ApiKey.label == SIGN_ON)
    for key_id in session.scalars(own.order_by(ApiKey.created_at.desc())):
        if find_live(session, key_id) is not None:
            return SignedOn(person.name, key_id)
    return SignedOn(person.name, issue_key(session, person, label=SIGN_ON, lifetime=FOREVER)[0])


def _was_added(session: Session, person: Person) -> bool:
    """Say whether a key was issued for the person; True where the process has no key of seals to tell by."""
    chain_key = session.info.get(CHAIN_KEY)
    return not chain_key or person.id in persons_with_sealed_key(session, chain_key, person.id)
