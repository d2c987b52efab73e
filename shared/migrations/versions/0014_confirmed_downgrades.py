"""A confirmed downgrade holds: the versions before it set no place for those that follow."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("referrals", sa.Column("counts", sa.Boolean(), server_default=sa.text("true"), nullable=False))
