"""Every answer that shows identities is recorded, with what was refused; failed authentication is counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"

# The one change a record sees is its number and digest, once.
ONLY_ADDED = """
create function access_log_is_only_added() returns trigger language plpgsql as $$
declare
    numbered access_log := new;
begin
    if tg_op = 'UPDATE' then
        numbered.number := old.number;
        numbered.digest := old.digest;
        if old.number is null and numbered is not distinct from old then
            return new;
        end if;
    end if;
    raise exception 'the access log is only ever added to' using errcode = 'restrict_violation';
end $$;
create trigger access_log_is_only_added before update or delete on access_log
    for each row execute function access_log_is_only_added();
create trigger access_log_is_never_emptied before truncate on access_log
    for each statement execute function access_log_is_only_added();
"""


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("intake_id", sa.Uuid(), nullable=True),
        sa.Column("patients", postgresql.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint("(number is null) = (digest is null)", name=op.f("ck_access_log_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    op.create_index("uq_access_log_number", "access_log", ["number"], unique=True)
    op.create_index("ix_access_log_unnumbered", "access_log", ["id"], postgresql_where=sa.text("number is null"))
    op.create_index("ix_access_log_at", "access_log", ["at", "id"])
    op.create_index("ix_access_log_person", "access_log", ["person", "at", "id"])
    op.create_index("ix_access_log_facility", "access_log", ["facility", "at", "id"])
    op.create_table(
        "access_log_patients",
        sa.Column("patient", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("access_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["access_id"], ["access_log.id"], name=op.f("fk_access_log_patients_access_id")),
        sa.PrimaryKeyConstraint("patient", "at", "access_id", name=op.f("pk_access_log_patients")),
    )
    op.create_table(
        "failed_authentications",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "address", name=op.f("pk_failed_authentications")),
    )
    op.execute(ONLY_ADDED)
