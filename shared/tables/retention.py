"""Tables of what was erased, by which run, and of cases that are kept for a legal hold."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table, one_of

RUN_KINDS = ("run", "dry_run", "patient")


class RetentionRun(Table):
    """One run of retention for a facility, or the erasure of one patient: by whom, when and how much. No identity."""

    __tablename__ = "retention_runs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    facility: Mapped[str]
    by: Mapped[str]
    identity_days: Mapped[int | None]
    case_years: Mapped[int | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]  # None: it runs, or was stopped; the next run goes on
    identities: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # cases whose identity was erased
    cases: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # cases that were removed
    held: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # cases kept for a legal hold

    __table_args__ = (CheckConstraint(one_of("kind", RUN_KINDS), name="kind"),)


class RetentionHold(Table):
    """A legal hold on a case, named by the first version of its form: nothing of it is erased until it is released."""

    __tablename__ = "retention_holds"

    first_version: Mapped[UUID] = mapped_column(primary_key=True)
    held_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    held_by: Mapped[str]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


class EventErasure(Table):
    """An event whose data lost its free text; `rest` is the digest of what is left, which the chain is checked by."""

    __tablename__ = "event_erasures"

    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("events.id"), primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("retention_runs.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    rest: Mapped[bytes]
