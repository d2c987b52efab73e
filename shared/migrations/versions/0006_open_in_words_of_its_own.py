"""Indexes of what is open say so in words of which there are no statistics that could be out of date."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

OPEN, QUEUED = "status || '' in ('queued', 'acknowledged')", "status || '' = 'queued'"
INDEXES = {
    "ix_referrals_oldest": (["facility", "queue", "created_at"], OPEN),
    "ix_referrals_patient": (["mrn_hash", "form_received_at"], OPEN),
    "ix_referrals_escalating": (["escalate_at"], f"{QUEUED} and escalate_at is not null"),
}


def upgrade() -> None:
    op.drop_index("ix_referrals_open", "referrals")  # the walks for each status are merged
    for name, (columns, where) in INDEXES.items():
        op.drop_index(name, "referrals")
        op.create_index(name, "referrals", columns, postgresql_where=sa.text(where))
