"""What people write stands sealed beside its event, and what senders name things is hashed and sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

# As in 0020, and an event keeps the text that it has.
ONLY_ADDED = """
create or replace function events_are_only_added() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.text_id is not distinct from old.text_id then
        if old.number is null
            and (new.id, new.type, new.at, new.referral_id, new.intake_id, new."by", new.data, new.actor)
            is not distinct from
            (old.id, old.type, old.at, old.referral_id, old.intake_id, old."by", old.data, old.actor) then
            return new;
        end if;
        if current_setting('psoas.erasing', true) = 'on' and old.number is not null
            and old.data @> new.data
            and (new.id, new.number, new.digest, new.type, new.at, new.referral_id, new.intake_id, new."by", new.actor)
            is not distinct from
            (old.id, old.number, old.digest, old.type, old.at, old.referral_id, old.intake_id, old."by", old.actor) then
            return new;
        end if;
    end if;
    raise exception 'events are only ever added' using errcode = 'restrict_violation';
end $$
"""


def upgrade() -> None:
    op.create_table(
        "event_texts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_event_texts_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_texts")),
    )
    op.create_index(op.f("ix_event_texts_referral_id"), "event_texts", ["referral_id"])
    op.create_index("ix_event_texts_sealing_key", "event_texts", [sa.text("sealing_key(sealed)")])
    op.add_column("events", sa.Column("text_id", sa.Uuid(), nullable=True))
    op.execute(ONLY_ADDED)
    op.add_column("intakes", sa.Column("external_id_hash", sa.LargeBinary(), nullable=True))
    op.add_column("intakes", sa.Column("external_id_sealed", sa.LargeBinary(), nullable=True))
    op.create_index(
        "uq_intakes_facility_external_id_hash",
        "intakes",
        ["facility", "external_id_hash"],
        unique=True,
        postgresql_where=sa.text("external_id_hash is not null"),
    )
    op.create_index(
        "ix_intakes_external_id_sealing_key",
        "intakes",
        [sa.text("sealing_key(external_id_sealed)")],
        postgresql_where=sa.text("external_id_sealed is not null"),
    )
