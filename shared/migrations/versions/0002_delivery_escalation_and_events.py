"""Destinations and deliveries, clocks of the ladder, versions of a form, numbered events, heartbeats."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

QUEUE = "queue in ('urgent', 'neurology', 'orthopedics', 'clinical_review')"
APPEND_ONLY = """
create function events_are_only_added() returns trigger language plpgsql as $$
begin
    -- The one change an event sees: it is given its number and digest, once.
    if tg_op = 'UPDATE' then
        if old.number is null and (new.id, new.type, new.at, new.referral_id, new.intake_id, new."by", new.data)
            is not distinct from (old.id, old.type, old.at, old.referral_id, old.intake_id, old."by", old.data) then
            return new;
        end if;
    end if;
    raise exception 'events are only ever added' using errcode = 'restrict_violation';
end $$;
create trigger events_are_only_added before update or delete on events
    for each row execute function events_are_only_added();
create trigger events_are_never_emptied before truncate on events
    for each statement execute function events_are_only_added();
"""


def upgrade() -> None:
    versions_of_a_form()
    clocks()
    numbered_events()
    deliveries()
    op.create_table(
        "heartbeats",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_heartbeats")),
    )


def versions_of_a_form() -> None:
    for column in ("amends", "first_version"):
        op.add_column("intakes", sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_intakes_{column}"), "intakes", "intakes", [column], ["id"])
    op.create_check_constraint(op.f("ck_intakes_amends"), "intakes", "(amends is null) = (first_version is null)")
    op.create_index("ix_intakes_patient", "intakes", ["facility", "mrn_hash", "received_at"])
    op.create_index(
        "ix_intakes_versions", "intakes", ["first_version"], postgresql_where=sa.text("first_version is not null")
    )


def clocks() -> None:
    op.add_column("referrals", sa.Column("clock_started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("referrals", sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("referrals", sa.Column("superseded_by", sa.Uuid(), nullable=True))
    # The first rung is due when the acknowledgement is; prompt and routine have no ladder.
    op.execute("""
        update referrals
        set clock_started_at = received_at, escalate_at = case when priority <= 1 then acknowledge_by end
        from intakes where intakes.id = intake_id
    """)
    # Workers of the version before may still add referrals; the watchman starts the clocks of those.
    op.alter_column("referrals", "clock_started_at", nullable=False, server_default=sa.text("now()"))
    op.create_foreign_key(op.f("fk_referrals_superseded_by"), "referrals", "referrals", ["superseded_by"], ["id"])
    op.create_check_constraint(
        op.f("ck_referrals_superseded"), "referrals", "(status = 'superseded') = (superseded_by is not null)"
    )
    op.create_index(
        "ix_referrals_superseded_by",
        "referrals",
        ["superseded_by"],
        postgresql_where=sa.text("superseded_by is not null"),
    )
    op.create_index(
        "ix_referrals_escalating",
        "referrals",
        ["escalate_at"],
        postgresql_where=sa.text("status = 'queued' and escalate_at is not null"),
    )


def numbered_events() -> None:
    op.alter_column("events", "id", type_=sa.BigInteger())
    op.add_column("events", sa.Column("number", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(op.f("ck_events_number"), "events", "(number is null) = (digest is null)")
    op.create_index("uq_events_number", "events", ["number"], unique=True)
    op.create_index("ix_events_unnumbered", "events", ["id"], postgresql_where=sa.text("number is null"))
    op.execute(APPEND_ONLY)


def deliveries() -> None:
    op.create_table(
        "destinations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=True),
        sa.Column("escalation_level", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(QUEUE, name=op.f("ck_destinations_queue")),
        sa.CheckConstraint("status in ('active', 'disabled', 'removed')", name=op.f("ck_destinations_status")),
        sa.CheckConstraint("escalation_level >= 0", name=op.f("ck_destinations_escalation_level")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destinations")),
    )
    op.create_index(
        "uq_destinations_kept",
        "destinations",
        ["queue", sa.text("coalesce(facility, '')"), "escalation_level", "url"],
        unique=True,
        postgresql_where=sa.text("status <> 'removed'"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("destination_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="due", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(QUEUE, name=op.f("ck_deliveries_queue")),
        sa.CheckConstraint("status in ('due', 'delivered', 'parked', 'discarded')", name=op.f("ck_deliveries_status")),
        sa.ForeignKeyConstraint(["destination_id"], ["destinations.id"], name=op.f("fk_deliveries_destination_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_deliveries_referral_id")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_deliveries_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("uq_deliveries_event_id_destination_id", "deliveries", ["event_id", "destination_id"], unique=True)
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["destination_id", "due_at", "id"],
        postgresql_where=sa.text("status = 'due'"),
    )
    op.create_index(
        "ix_deliveries_leased",
        "deliveries",
        ["destination_id"],
        postgresql_where=sa.text("status = 'due' and lease_until is not null"),
    )
    op.create_index("ix_deliveries_status", "deliveries", ["status", "created_at", "id"])
    op.create_index("ix_deliveries_referral_id", "deliveries", ["referral_id"])
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("http_status", sa.SmallInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_attempts_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "attempt", name=op.f("pk_delivery_attempts")),
    )
