"""The index of a patient's open referrals begins with the patient: with statistics of any age no other leads there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.drop_index("ix_referrals_patient", "referrals")
    op.create_index(
        "ix_referrals_patient",
        "referrals",
        ["mrn_hash", "form_received_at"],
        postgresql_where=sa.text("status in ('queued', 'acknowledged')"),
    )
