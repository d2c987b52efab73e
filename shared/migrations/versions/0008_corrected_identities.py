"""Identities can be corrected, birth dates compared, and the keys that sealed rows are found without reading all."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# Of any bytes, damaged ones too: no write may fail for it.
SEALING_KEY = """
    create function sealing_key(sealed bytea) returns bytea language sql immutable strict parallel safe as $$
        select case when sealed = '' then sealed else substring(sealed, 2, get_byte(sealed, 0)) end
    $$
"""


def upgrade() -> None:
    op.execute(SEALING_KEY)
    op.add_column("intakes", sa.Column("birth_date_hash", sa.LargeBinary(), nullable=True))
    op.create_index("ix_intakes_sealing_key", "intakes", [sa.text("sealing_key(identity)")])
    op.create_table(
        "identity_corrections",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("intake_id", sa.Uuid(), sa.ForeignKey("intakes.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("fields", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("after", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_identity_corrections_intake", "identity_corrections", ["intake_id", "id"])
    for column in ("before", "after"):
        op.create_index(
            f"ix_identity_corrections_{column}_key", "identity_corrections", [sa.text(f"sealing_key({column})")]
        )
