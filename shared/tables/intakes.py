"""Tables of intakes and idempotency keys."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.platform.task_queues import LANES
from shared.tables.base import Table, one_of

INTAKE_STATUSES = ("received", "triaged")


class Intake(Table):
    """A form as a hospital sent it. `received` means: still to be triaged, whatever happened to any message."""

    __tablename__ = "intakes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    facility: Mapped[str]
    external_id: Mapped[str | None]  # in the clear, as releases before wrote it; else None, and the next two have it
    external_id_hash: Mapped[bytes | None]  # keyed, as mrn_hash; None also in what releases before added
    external_id_sealed: Mapped[bytes | None]
    status: Mapped[str] = mapped_column(server_default="received")
    lane: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    triaged_at: Mapped[datetime | None]
    today: Mapped[date]  # the day the form was filled in, by which the age was counted
    answers: Mapped[dict[str, Any]]  # the form as read, without identity
    identity: Mapped[bytes]  # sealed; see shared/platform/crypto.py
    mrn_hash: Mapped[bytes]  # of the record number as it was typed; only the release before compares by it alone
    patient_hash: Mapped[bytes | None]  # of its normal form; None in what the release before added, until backfilled
    birth_date_hash: Mapped[bytes | None]  # keyed, as mrn_hash; None in what came before there was one
    body_hash: Mapped[bytes]
    request_id: Mapped[str]
    traceparent: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    lease_until: Mapped[datetime | None]
    amends: Mapped[UUID | None] = mapped_column(ForeignKey("intakes.id"))  # the form of which this is a new version
    first_version: Mapped[UUID | None] = mapped_column(ForeignKey("intakes.id"))  # of that form; None where this is it
    identity_erased_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "ix_intakes_identity_kept",
            "facility",
            "received_at",
            "id",
            postgresql_where=text("first_version is null and identity_erased_at is null"),
        ),
        Index(
            "ix_intakes_first_version_kept",
            "facility",
            "received_at",
            "id",
            postgresql_where=text("first_version is null"),
        ),
        Index("ix_intakes_versions", "first_version", postgresql_where=text("first_version is not null")),
        Index(
            "uq_intakes_facility_external_id",
            "facility",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index(
            "uq_intakes_facility_external_id_hash",
            "facility",
            "external_id_hash",
            unique=True,
            postgresql_where=text("external_id_hash is not null"),
        ),
        Index("ix_intakes_of_facility", "facility", "status", "received_at", "id"),
        Index("ix_intakes_patient", text("coalesce(patient_hash, mrn_hash)"), "id"),
        Index("ix_intakes_without_patient_hash", "id", postgresql_where=text("patient_hash is null")),
        Index(
            "ix_intakes_waiting",
            "lane",
            "received_at",
            "id",
            postgresql_where=text("status = 'received'"),
        ),
        Index("ix_intakes_sealing_key", text("sealing_key(identity)")),
        Index(
            "ix_intakes_external_id_sealing_key",
            text("sealing_key(external_id_sealed)"),
            postgresql_where=text("external_id_sealed is not null"),
        ),
        CheckConstraint(one_of("status", INTAKE_STATUSES), name="status"),
        CheckConstraint(one_of("lane", LANES), name="lane"),
        CheckConstraint("(status = 'triaged') = (triaged_at is not null)", name="triaged_at"),
        CheckConstraint("(amends is null) = (first_version is null)", name="amends"),
    )


class IdempotencyKey(Table):
    """A sender's name for one attempt to post; the same name never makes a second intake."""

    __tablename__ = "idempotency_keys"

    facility: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)  # hashed: shared/store/names/idempotency_keys.py
    intake_id: Mapped[UUID] = mapped_column(ForeignKey("intakes.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
