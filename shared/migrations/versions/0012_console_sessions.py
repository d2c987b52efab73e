"""Sessions of the console are kept on the server; its handover and statistics have indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('person', 'wall')", name=op.f("ck_console_sessions_kind")),
        sa.CheckConstraint("(kind = 'person') = (name is not null)", name=op.f("ck_console_sessions_name")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_console_sessions_key_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_console_sessions")),
    )
    op.create_index(op.f("ix_console_sessions_key_id"), "console_sessions", ["key_id"])
    op.create_index(op.f("ix_console_sessions_expires_at"), "console_sessions", ["expires_at"])
    op.create_index("ix_referrals_created", "referrals", ["created_at"])
    op.create_index(
        "ix_events_moved",
        "events",
        ["at"],
        postgresql_where=sa.text("type in ('referral.returned', 'referral.rerouted')"),
    )
    op.create_index(
        "ix_referrals_failed",
        "referrals",
        ["priority", "acknowledge_by", "id"],
        postgresql_where=sa.text("pattern = 'triage_failed' and status || '' in ('queued', 'acknowledged')"),
    )
