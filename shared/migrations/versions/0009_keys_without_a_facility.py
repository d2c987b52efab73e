"""Only the roles that may see every facility have keys without one; a referral's events are walked by number."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_api_keys_facility"),
        "api_keys",
        "facility is not null or role in ('department', 'operator', 'auditor', 'admin')",
    )
    op.create_index("ix_events_timeline", "events", ["referral_id", "number"])
