"""The tables: what is true. A row's status is also its next step, so no message has to be trusted.

Clinical answers stand apart from identity, which is one sealed column that only an authorised answer opens.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.clinical.lifecycle import OPEN_STATUSES, PRIORITIES, QUEUES, STATUSES
from shared.task_queues import LANES

ROLES = ("submitter", "department", "operator", "auditor", "admin")
INTAKE_STATUSES = ("received", "triaged")


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that `column` is one of `values`."""
    return f"{column} in ({', '.join(repr(value) for value in values)})"


class Table(DeclarativeBase):
    """What the tables share: predictable constraint names, by which a violation is recognised."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        str: Text,
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
        bytes: LargeBinary,
    }


class ApiKey(Table):
    """Who may call: a facility's system or a member of staff. Only the hash of the secret is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes]
    role: Mapped[str]
    facility: Mapped[str | None]
    queues: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint(one_of("role", ROLES), name="role"),)


class Intake(Table):
    """A form as a hospital sent it. `received` means: still to be triaged, whatever happened to any message."""

    __tablename__ = "intakes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    facility: Mapped[str]
    external_id: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="received")
    lane: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    triaged_at: Mapped[datetime | None]
    today: Mapped[date]  # the day the form was filled in, by which the age was counted
    answers: Mapped[dict[str, Any]]  # the form as read, without identity
    identity: Mapped[bytes]  # sealed; see shared/crypto.py
    mrn_hash: Mapped[bytes]
    body_hash: Mapped[bytes]
    request_id: Mapped[str]
    traceparent: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    lease_until: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_intakes_facility_external_id",
            "facility",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index(
            "ix_intakes_waiting",
            "lane",
            "received_at",
            "id",
            postgresql_where=text("status = 'received'"),
        ),
        CheckConstraint(one_of("status", INTAKE_STATUSES), name="status"),
        CheckConstraint(one_of("lane", LANES), name="lane"),
        CheckConstraint("(status = 'triaged') = (triaged_at is not null)", name="triaged_at"),
    )


class IdempotencyKey(Table):
    """A sender's name for one attempt to post; the same name never makes a second intake."""

    __tablename__ = "idempotency_keys"

    facility: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    intake_id: Mapped[UUID] = mapped_column(ForeignKey("intakes.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Decision(Table):
    """What triage decided of an intake, with its reasons, as it was answered and shown."""

    __tablename__ = "decisions"

    intake_id: Mapped[UUID] = mapped_column(ForeignKey("intakes.id"), primary_key=True)
    record: Mapped[dict[str, Any]]
    protocol_version: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Referral(Table):
    """The routed unit of work: one of each triaged intake, in exactly one queue."""

    __tablename__ = "referrals"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    intake_id: Mapped[UUID] = mapped_column(ForeignKey("intakes.id"), unique=True)
    facility: Mapped[str]
    queue: Mapped[str]
    priority: Mapped[int] = mapped_column(SmallInteger)  # its place in PRIORITIES: 0 is an emergency
    status: Mapped[str] = mapped_column(server_default="queued")
    pattern: Mapped[str]
    headline: Mapped[str]
    red_flags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    acknowledge_by: Mapped[datetime]
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    escalation_level: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    downgrade_proposed: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(server_default="1")  # rises with every change; the ETag

    __table_args__ = (
        CheckConstraint(one_of("queue", QUEUES), name="queue"),
        CheckConstraint(f"priority between 0 and {len(PRIORITIES) - 1}", name="priority"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint("queue <> 'urgent' or priority <= 1", name="urgent_queue"),
        CheckConstraint(
            "(acknowledged_by is null) = (acknowledged_at is null) and "
            "(status <> 'acknowledged' or acknowledged_by is not null)",
            name="acknowledged",
        ),
        Index(
            "ix_referrals_open",
            "queue",
            "priority",
            "acknowledge_by",
            "id",
            postgresql_where=text(one_of("status", OPEN_STATUSES)),
        ),
        Index("ix_referrals_by_status", "queue", "status", "priority", "acknowledge_by", "id"),
        Index("ix_referrals_all", "queue", "priority", "acknowledge_by", "id"),
    )


class Event(Table):
    """One thing that happened to a referral, by whom and when; only ever added."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    type: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    intake_id: Mapped[UUID] = mapped_column(ForeignKey("intakes.id"))
    by: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))

    __table_args__ = (Index("ix_events_referral", "referral_id", "id"),)
