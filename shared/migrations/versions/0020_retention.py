"""Sealed values name their format; identities, free text and whole cases can be erased, with a record of it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"

# A value of format 2 begins with 00 02; its key has 02 in front here, so that both formats are told apart by the index.
# What the function says of values of format 1, and so what is in the indexes, stays as it was.
SEALING_KEY = """
    create or replace function sealing_key(sealed bytea) returns bytea
    language sql immutable strict parallel safe as $$
        select case
            when sealed = '' then sealed
            when length(sealed) > 2 and substring(sealed, 1, 2) = '\\x0002'::bytea
                then '\\x02'::bytea || substring(sealed, 4, get_byte(sealed, 2))
            else substring(sealed, 2, get_byte(sealed, 0))
        end
    $$
"""
# The one change that a numbered event sees is that `data` loses members, where the transaction says that it erases.
# The service's role has no right to change `data`.
ONLY_ADDED = """
create or replace function events_are_only_added() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if old.number is null
            and (new.id, new.type, new.at, new.referral_id, new.intake_id, new."by", new.data, new.actor)
            is not distinct from
            (old.id, old.type, old.at, old.referral_id, old.intake_id, old."by", old.data, old.actor) then
            return new;
        end if;
        if current_setting('psoas.erasing', true) = 'on' and old.number is not null
            and old.data @> new.data
            and (new.id, new.number, new.digest, new.type, new.at, new.referral_id, new.intake_id, new."by", new.actor)
            is not distinct from
            (old.id, old.number, old.digest, old.type, old.at, old.referral_id, old.intake_id, old."by", old.actor) then
            return new;
        end if;
    end if;
    raise exception 'events are only ever added' using errcode = 'restrict_violation';
end $$
"""


def upgrade() -> None:
    op.execute(SEALING_KEY)
    op.execute(ONLY_ADDED)
    for column in ("referral_id", "intake_id"):  # events stay when their case is removed
        op.drop_constraint(f"fk_events_{column}", "events", type_="foreignkey")
    op.add_column("intakes", sa.Column("identity_erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_intakes_identity_kept",
        "intakes",
        ["facility", "received_at", "id"],
        postgresql_where=sa.text("first_version is null and identity_erased_at is null"),
    )
    op.create_index(
        "ix_intakes_first_version_kept",
        "intakes",
        ["facility", "received_at", "id"],
        postgresql_where=sa.text("first_version is null"),
    )
    op.create_table(
        "retention_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("identity_days", sa.Integer(), nullable=True),
        sa.Column("case_years", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("identities", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cases", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("kind in ('run', 'dry_run', 'patient')", name=op.f("ck_retention_runs_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_runs")),
    )
    op.create_table(
        "retention_holds",
        sa.Column("first_version", sa.Uuid(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("held_by", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("first_version", "held_at", name=op.f("pk_retention_holds")),
    )
    op.create_table(
        "event_erasures",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("rest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_event_erasures_event_id")),
        sa.ForeignKeyConstraint(["run_id"], ["retention_runs.id"], name=op.f("fk_event_erasures_run_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_erasures")),
    )
