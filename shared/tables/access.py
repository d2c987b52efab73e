"""Tables of facilities, API keys and persons, and of what was shown to whom."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, SmallInteger, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table, one_of

FACILITY_KINDS = ("live", "test")
ROLES = ("submitter", "department", "operator", "auditor", "admin")
WITHOUT_FACILITY = ("department", "operator", "auditor", "admin")  # roles of persons, and of keys that may see all


class Person(Table):
    """A member of staff who signs in and acts under a name of their own; closed, never removed."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    facility: Mapped[str | None]
    queues: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    login: Mapped[str | None]  # by which the hospital's identity provider knows the person
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(one_of("role", WITHOUT_FACILITY), name="role"),
        Index("uq_people_name", "name", unique=True, postgresql_where=text("closed_at is null")),
        Index("uq_people_login", "login", unique=True, postgresql_where=text("closed_at is null")),
    )


class Facility(Table):
    """A hospital or practice that sends forms; one of kind `test` is routed as any other and calls no department."""

    __tablename__ = "facilities"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(server_default="live")  # never changes: its referrals carry it
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closed_at: Mapped[datetime | None]  # its keys read from then on, and cannot post

    __table_args__ = (CheckConstraint(one_of("kind", FACILITY_KINDS), name="kind"),)


class ApiKey(Table):
    """Who may call: a facility's system, a team or a person. Only the hash of the secret is kept.

    A person's key repeats the role, facility and queues of the person.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes]
    role: Mapped[str]
    facility: Mapped[str | None]
    queues: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    label: Mapped[str | None]  # what it is for, in the words of the one who issued it
    last_used_at: Mapped[datetime | None]  # to the minute
    replaced_by: Mapped[str | None]  # the key that was issued in its place, which opens beside it until it expires

    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role"),
        CheckConstraint(f"facility is not null or {one_of('role', WITHOUT_FACILITY)}", name="facility"),
    )


class AccessRecord(Table):
    """One answer that showed identities, or that was refused: who, what, whose, when and from where; only ever added.

    `number` and `digest` are given after the commit, as those of events; see shared/store/access/access_log.py.
    """

    __tablename__ = "access_log"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    number: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[bytes | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    key_id: Mapped[str]
    person: Mapped[str | None]  # of a person's key, or as it was typed at sign-in with another key
    role: Mapped[str]
    facility: Mapped[str | None]  # to which the key is limited
    address: Mapped[str]
    request_id: Mapped[str]
    method: Mapped[str]
    route: Mapped[str]  # its pattern: no address that was asked for is kept
    status: Mapped[int] = mapped_column(SmallInteger)
    referral_id: Mapped[UUID | None]
    intake_id: Mapped[UUID | None]
    patients: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default=text("'{}'"))  # keyed hashes

    __table_args__ = (
        CheckConstraint("(number is null) = (digest is null)", name="number"),
        Index("uq_access_log_number", "number", unique=True),
        Index("ix_access_log_unnumbered", "id", postgresql_where=text("number is null")),
        Index("ix_access_log_at", "at", "id"),
        Index("ix_access_log_person", "person", "at", "id"),
        Index("ix_access_log_facility", "facility", "at", "id"),
    )


class AccessedPatient(Table):
    """The records in which a patient occurs, so that they are found by an index; written when a record is numbered."""

    __tablename__ = "access_log_patients"

    patient: Mapped[bytes] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    access_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("access_log.id"), primary_key=True)


class FailedAuthentication(Table):
    """How often an address presented no valid key within a minute."""

    __tablename__ = "failed_authentications"

    minute: Mapped[datetime] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
