"""Tables of webhook destinations, deliveries and their attempts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.clinical.referral.lifecycle import QUEUES
from shared.tables.base import Table, one_of

DESTINATION_STATUSES = ("active", "disabled", "removed")
DELIVERY_STATUSES = ("due", "delivered", "parked", "discarded")


class Destination(Table):
    """Where a department's own system hears of the referrals of a queue, or a facility's own of all its referrals."""

    __tablename__ = "destinations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    queue: Mapped[str | None]  # None: it is the facility's own
    facility: Mapped[str | None]  # whose referrals it hears of; None hears of all
    escalation_level: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # 0: the queue; else a rung
    url: Mapped[str]
    secret: Mapped[bytes]  # signs what is sent there; sealed, see shared/platform/crypto.py
    status: Mapped[str] = mapped_column(server_default="active")
    failures: Mapped[int] = mapped_column(server_default="0")  # attempts that failed since the last one that did not
    rests_until: Mapped[datetime | None]  # after a failure that time may heal
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint(one_of("queue", QUEUES), name="queue"),
        CheckConstraint(one_of("status", DESTINATION_STATUSES), name="status"),
        CheckConstraint("escalation_level >= 0", name="escalation_level"),
        CheckConstraint("queue is not null or (facility is not null and escalation_level = 0)", name="facility"),
        Index(
            "uq_destinations_kept",
            text("coalesce(queue, '')"),
            text("coalesce(facility, '')"),
            "escalation_level",
            "url",
            unique=True,
            postgresql_where=text("status <> 'removed'"),
        ),
    )


class Delivery(Table):
    """One event on its way to one destination. `due` means: still to be delivered, whatever happened to any message."""

    __tablename__ = "deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)  # the webhook-id of every attempt
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destinations.id"))
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    queue: Mapped[str]  # the task queue on which it is announced
    payload: Mapped[dict[str, Any]]  # what every attempt sends; thin, and without identity
    status: Mapped[str] = mapped_column(server_default="due")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_since: Mapped[datetime] = mapped_column(server_default=func.now())  # its event, or a person who had it retried
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None]  # why the last attempt failed, or why there was none
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(one_of("queue", QUEUES), name="queue"),
        CheckConstraint(one_of("status", DELIVERY_STATUSES), name="status"),
        Index("uq_deliveries_event_id_destination_id", "event_id", "destination_id", unique=True),
        Index(
            "ix_deliveries_due",
            "destination_id",
            "due_at",
            "id",
            postgresql_where=text("status = 'due'"),
            postgresql_include=["created_at"],  # how long the oldest has waited is read with how many there are
        ),
        Index("ix_deliveries_parked", "destination_id", "created_at", "id", postgresql_where=text("status = 'parked'")),
        Index(
            "ix_deliveries_leased",
            "destination_id",
            postgresql_where=text("status = 'due' and lease_until is not null"),
        ),
        Index("ix_deliveries_status", "status", "created_at", "id"),
        Index("ix_deliveries_referral_id", "referral_id"),
    )


class DeliveryAttempt(Table):
    """One try to deliver: when, how long it took and how it ended; nothing of what was answered."""

    __tablename__ = "delivery_attempts"

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    duration_ms: Mapped[int]
    http_status: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None]
