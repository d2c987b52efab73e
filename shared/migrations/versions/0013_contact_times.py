"""Referrals say by when the patient is contacted, who did, when imaging is due, and whether an ambulance is called."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"

ENDED = "(contacted_by is null) = (contacted_at is null) and (contacted_by is null) = (contacted_outcome is null)"
TO_CONTACT = (
    "status || '' in ('queued', 'acknowledged') "
    "and contact_by is not null and contacted_at is null and contact_overdue_at is null"
)


def upgrade() -> None:
    for column in ("contact_by", "contacted_at", "contact_overdue_at"):
        op.add_column("referrals", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.add_column("referrals", sa.Column("ambulance", sa.Boolean(), nullable=True))
    op.add_column("referrals", sa.Column("imaging_due", postgresql.JSONB(), nullable=True))
    for column in ("contacted_by", "contacted_outcome"):
        op.add_column("referrals", sa.Column(column, sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_referrals_contacted"), "referrals", ENDED)
    op.create_check_constraint(
        op.f("ck_referrals_contacted_outcome"), "referrals", "contacted_outcome in ('reached', 'not_needed')"
    )
    op.create_index("ix_referrals_to_contact", "referrals", ["contact_by", "id"], postgresql_where=sa.text(TO_CONTACT))
