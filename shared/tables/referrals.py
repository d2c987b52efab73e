"""Tables of decisions, referrals and events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.clinical.referral.lifecycle import CONTACT_ENDINGS, OPEN_STATUSES, PRIORITIES, QUEUES, STATUSES
from shared.tables.base import Table, one_of

# The status said so that the planner knows nothing of it. What it knows is a minute old: while statistics say that no
# row has a status, it takes every partial index of that status for an empty one, and may walk all of one that does not
# lead anywhere. Of an expression it has no statistics: it assumes one row in 200, and takes the index that leads to
# what is asked for. An index answers only to its own words, so these are its condition and that of its queries.
_STATUS = "status || ''"
IS_FAILED = "pattern = 'triage_failed'"
IS_OPEN, IS_QUEUED = one_of(_STATUS, OPEN_STATUSES), f"{_STATUS} = 'queued'"
ENDED = one_of("type", ("referral.completed", "referral.returned"))  # events with which a person ends a referral
AWAITS_CONTACT = "contact_by is not null and contacted_at is null and contact_overdue_at is null"
# By what a patient is recognised: the hash of the normalised record number, or of the typed one until that is there.
PATIENT, TYPED_OTHERWISE = "coalesce(patient_hash, mrn_hash)", "mrn_hash <> patient_hash"


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
    reference: Mapped[str] = mapped_column(server_default=text("new_reference()"))  # R-7K3M-9Q4M, for people
    facility: Mapped[str]
    # Whether its facility is of kind `test`; a trigger looks it up where that is not said.
    test: Mapped[bool] = mapped_column(server_default=text("false"))
    mrn_hash: Mapped[bytes | None]  # as the intake has it; None in what was closed before there was one here
    patient_hash: Mapped[bytes | None]  # as the intake has it
    form_received_at: Mapped[datetime | None]
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
    clock_started_at: Mapped[datetime] = mapped_column(
        server_default=func.now()
    )  # receipt, or the moment at which a person raised the priority
    escalation_level: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # the last rung that was climbed
    escalate_at: Mapped[datetime | None]  # when the next rung is due, for as long as nobody acknowledges
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    downgrade_proposed: Mapped[bool] = mapped_column(server_default=text("false"))
    # None in what release 0.1.0 wrote, and in what its protocol decided: it knew none of these.
    contact_by: Mapped[datetime | None]  # by when a clinician speaks to the patient; None is never
    ambulance: Mapped[bool | None]
    imaging_due: Mapped[dict[str, Any] | None]  # by study, when it is due; a study without a limit has null
    contacted_by: Mapped[str | None]  # who ended the clock of the contact; an attempt that failed is an event alone
    contacted_at: Mapped[datetime | None]
    contacted_outcome: Mapped[str | None]
    contact_overdue_at: Mapped[datetime | None]  # when the event said that `contact_by` has passed
    counts: Mapped[bool] = mapped_column(server_default=text("true"))  # false once a person confirmed a lower place
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
            "ix_referrals_oldest",
            "facility",
            "queue",
            "created_at",
            postgresql_where=text(IS_OPEN),
        ),
        Index(
            "ix_referrals_escalating",
            "escalate_at",
            postgresql_where=text(f"{IS_QUEUED} and escalate_at is not null"),
        ),
        CheckConstraint(
            "(contacted_by is null) = (contacted_at is null) and (contacted_by is null) = (contacted_outcome is null)",
            name="contacted",
        ),
        CheckConstraint(one_of("contacted_outcome", CONTACT_ENDINGS), name="contacted_outcome"),
        Index("ix_referrals_to_contact", "contact_by", "id", postgresql_where=text(f"{IS_OPEN} and {AWAITS_CONTACT}")),
        CheckConstraint("(status = 'superseded') = (superseded_by is not null)", name="superseded"),
        Index(
            "ix_referrals_superseded_by",
            "superseded_by",
            "form_received_at",
            "id",
            postgresql_where=text("superseded_by is not null"),
        ),
        Index(
            "ix_referrals_patient",
            "mrn_hash",
            "form_received_at",
            postgresql_where=text(IS_OPEN),
        ),
        Index("ix_referrals_created", "created_at"),
        Index(
            "ix_referrals_failed",
            "priority",
            "acknowledge_by",
            "id",
            postgresql_where=text(f"{IS_FAILED} and {IS_OPEN}"),
        ),
        Index(
            "ix_referrals_patient_hash",
            text(PATIENT),
            "form_received_at",
            postgresql_where=text(IS_OPEN),
        ),
        Index(
            "ix_referrals_typed_otherwise",
            "mrn_hash",
            "form_received_at",
            postgresql_where=text(f"{IS_OPEN} and {TYPED_OTHERWISE}"),
        ),
        Index("uq_referrals_reference", "reference", unique=True),
        Index("ix_referrals_worklist", "test", "queue", "status", "priority", "acknowledge_by", "id"),
        Index("ix_referrals_of_facility", "facility", "queue", "status", "priority", "acknowledge_by", "id"),
    )


class Event(Table):
    """One thing that happened to a referral, by whom and when; only ever added.

    `number` and `digest` are given after the commit, one event after the other; see shared/store/event_log/feed.py.
    """

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    number: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[bytes | None]
    type: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    referral_id: Mapped[UUID]  # an event stays when its case is removed: shared/store/retention
    intake_id: Mapped[UUID]
    by: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    text_id: Mapped[UUID | None]  # of the words that belong to it, in `event_texts` until they are erased
    # Through which key a person did it, from which address, in which request; None where the service itself did it.
    actor: Mapped[dict[str, Any] | None]

    __table_args__ = (
        Index("ix_events_referral", "referral_id", "id"),
        Index("ix_events_timeline", "referral_id", "number", "id"),
        Index("ix_events_ended", "referral_id", "id", postgresql_where=text(ENDED)),
        Index("uq_events_number", "number", unique=True),
        Index("ix_events_unnumbered", "id", postgresql_where=text("number is null")),
        Index("ix_events_moved", "at", postgresql_where=text("type in ('referral.returned', 'referral.rerouted')")),
        CheckConstraint("(number is null) = (digest is null)", name="number"),
    )
