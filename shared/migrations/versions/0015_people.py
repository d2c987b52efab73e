"""Persons apart from keys; keys that are labelled, dated and rotated; events that say through which key they came."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

ROLES = "role in ('department', 'operator', 'auditor', 'admin')"
# The one change an event sees is its number and digest: what is compared now includes `actor`.
ONLY_ADDED = """
create or replace function events_are_only_added() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if old.number is null
            and (new.id, new.type, new.at, new.referral_id, new.intake_id, new."by", new.data, new.actor)
            is not distinct from
            (old.id, old.type, old.at, old.referral_id, old.intake_id, old."by", old.data, old.actor) then
            return new;
        end if;
    end if;
    raise exception 'events are only ever added' using errcode = 'restrict_violation';
end $$
"""


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=True),
        sa.Column("queues", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("login", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(ROLES, name=op.f("ck_people_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    for column in ("name", "login"):
        open_ = sa.text("closed_at is null")
        op.create_index(f"uq_people_{column}", "people", [column], unique=True, postgresql_where=open_)
    op.add_column("api_keys", sa.Column("person_id", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_api_keys_person_id"), "api_keys", "people", ["person_id"], ["id"])
    op.create_index(op.f("ix_api_keys_person_id"), "api_keys", ["person_id"])
    op.add_column("api_keys", sa.Column("label", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("replaced_by", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("actor", postgresql.JSONB(), nullable=True))
    op.execute(ONLY_ADDED)
