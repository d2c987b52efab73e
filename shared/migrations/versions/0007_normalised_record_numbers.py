"""A patient is recognised by the hash of the normalised record number; the watchman adds it to what is there.

LOOKUP_KEY is not in the database and the numbers are sealed, so a migration cannot compute it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

OPEN = "status || '' in ('queued', 'acknowledged')"


def upgrade() -> None:
    for table in ("intakes", "referrals"):
        op.add_column(table, sa.Column("patient_hash", sa.LargeBinary(), nullable=True))
    # Workers of the release before copy the hash of the number as typed, and nothing else.
    op.execute("""
        create function know_the_patient_hash() returns trigger language plpgsql as $$
        begin
            select patient_hash into new.patient_hash from intakes where id = new.intake_id;
            return new;
        end
        $$;
        create trigger know_the_patient_hash before insert on referrals
            for each row when (new.patient_hash is null) execute function know_the_patient_hash();
    """)
    op.create_index(
        "ix_intakes_without_patient_hash", "intakes", ["id"], postgresql_where=sa.text("patient_hash is null")
    )
    op.create_index(
        "ix_referrals_patient_hash",
        "referrals",
        [sa.text("coalesce(patient_hash, mrn_hash)"), "form_received_at"],
        postgresql_where=sa.text(OPEN),
    )
    op.create_index(
        "ix_referrals_typed_otherwise",
        "referrals",
        ["mrn_hash", "form_received_at"],
        postgresql_where=sa.text(f"{OPEN} and mrn_hash <> patient_hash"),
    )
