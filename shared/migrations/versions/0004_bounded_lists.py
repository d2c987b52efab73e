"""Every list has an index that leads to it and no further: of one patient's open referrals, and of one facility's."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

OPEN = "status in ('queued', 'acknowledged')"


def upgrade() -> None:
    patients()
    facilities()
    deliveries()
    # At a million rows the default waits for 200,000 dead ones, and an index alone answers only what was vacuumed.
    for table in ("intakes", "referrals", "events", "deliveries"):
        op.execute(
            f"alter table {table} set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, "
            "autovacuum_vacuum_insert_scale_factor = 0.05)"
        )


def patients() -> None:
    op.add_column("referrals", sa.Column("mrn_hash", sa.LargeBinary(), nullable=True))
    # By another name than the intake's: statements of the version before name that without saying whose it is.
    op.add_column("referrals", sa.Column("form_received_at", sa.DateTime(timezone=True), nullable=True))
    # Workers of the version before add referrals without them.
    op.execute("""
        create function know_the_patient() returns trigger language plpgsql as $$
        begin
            select mrn_hash, received_at into new.mrn_hash, new.form_received_at from intakes where id = new.intake_id;
            return new;
        end
        $$;
        create trigger know_the_patient before insert on referrals
            for each row when (new.mrn_hash is null) execute function know_the_patient();
    """)
    # What is closed is never open again, and nobody asks of what it is a duplicate.
    op.execute(f"""
        update referrals set mrn_hash = intakes.mrn_hash, form_received_at = intakes.received_at
        from intakes where intakes.id = intake_id and (referrals.{OPEN} or superseded_by is not null)
    """)  # noqa: S608 - a constant
    op.create_index(
        "ix_referrals_patient",
        "referrals",
        ["facility", "mrn_hash", "form_received_at"],
        postgresql_where=sa.text(OPEN),
    )
    op.drop_index("ix_intakes_patient", "intakes")  # by which duplicates were found; each post wrote it
    # The newest that one supersedes is one step into it; a form may be sent again and again.
    op.drop_index("ix_referrals_superseded_by", "referrals")
    op.create_index(
        "ix_referrals_superseded_by",
        "referrals",
        ["superseded_by", "form_received_at", "id"],
        postgresql_where=sa.text("superseded_by is not null"),
    )


def facilities() -> None:
    op.create_index(
        "ix_referrals_of_facility", "referrals", ["facility", "queue", "status", "priority", "acknowledge_by", "id"]
    )
    op.drop_index("ix_referrals_oldest", "referrals")
    op.create_index(
        "ix_referrals_oldest", "referrals", ["facility", "queue", "created_at"], postgresql_where=sa.text(OPEN)
    )
    # The walks for each status are merged.
    op.drop_index("ix_referrals_all", "referrals")


def deliveries() -> None:
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["destination_id", "due_at", "id"],
        postgresql_where=sa.text("status = 'due'"),
        postgresql_include=["created_at"],
    )
    op.create_index(
        "ix_deliveries_parked",
        "deliveries",
        ["destination_id", "created_at", "id"],
        postgresql_where=sa.text("status = 'parked'"),
    )
