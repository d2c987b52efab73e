"""Adds a reference to every referral, the table of facilities with their kind, and a facility's own destinations."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ENDED = "type in ('referral.completed', 'referral.returned')"
PLACE = ["priority", "acknowledge_by", "id"]


def upgrade() -> None:
    facilities()
    tests()
    references()
    lists()
    destinations()


def facilities() -> None:
    op.create_table(
        "facilities",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="live", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('live', 'test')", name=op.f("ck_facilities_kind")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facilities")),
    )
    op.execute("""
        insert into facilities (name)
        select facility from api_keys where facility is not null
        union select facility from destinations where facility is not null
        union select facility from intakes
    """)


def tests() -> None:
    # What a worker of the release before adds without saying so is looked up by the trigger: the default says nothing.
    op.add_column("referrals", sa.Column("test", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute("""
        create function set_test_flag() returns trigger language plpgsql as $$
        begin
            new.test := exists (select from facilities where name = new.facility and kind = 'test');
            return new;
        end
        $$;
        create function skip_test_ladder() returns trigger language plpgsql as $$
        begin
            new.escalate_at := null;
            return new;
        end
        $$;
        create trigger set_test_flag before insert on referrals
            for each row when (new.test is not true) execute function set_test_flag();
        create trigger skip_test_ladder before insert or update on referrals
            for each row when (new.test and new.escalate_at is not null) execute function skip_test_ladder();
    """)


def references() -> None:
    op.add_column("referrals", sa.Column("reference", sa.Text(), nullable=True))
    op.create_index("uq_referrals_reference", "referrals", ["reference"], unique=True)
    # Seven random symbols (the last seven bytes of a random UUID are random throughout) and their Luhn mod 32 check.
    op.execute("""
        create function new_reference() returns text language plpgsql volatile as $$
        declare
            symbols constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
            random bytea;
            written text;
            code int;
            addend int;
            total int;
        begin
            loop
                random := uuid_send(gen_random_uuid());
                written := '';
                total := 0;
                for place in 0..6 loop
                    code := get_byte(random, 9 + place) & 31;
                    addend := case when place % 2 = 0 then 2 * code else code end;
                    total := total + addend / 32 + addend % 32;
                    written := written || substr(symbols, code + 1, 1);
                end loop;
                written := written || substr(symbols, (32 - total % 32) % 32 + 1, 1);
                written := 'R-' || substr(written, 1, 4) || '-' || substr(written, 5);
                exit when not exists (select from referrals where reference = written);
            end loop;
            return written;
        end
        $$;
        update referrals set reference = new_reference();
        alter table referrals alter column reference set default new_reference();
        alter table referrals alter column reference set not null;
    """)


def lists() -> None:
    # Begins with what a list of one facility does not ask, or the planner would take it for that, too.
    op.create_index("ix_referrals_worklist", "referrals", ["test", "queue", "status", *PLACE])
    # With both, the planner may walk this one, past any number of tests. Until its API is replaced, a worklist of the
    # release before walks the new one, whatever `test` is.
    op.drop_index("ix_referrals_by_status", "referrals")
    op.create_index("ix_intakes_of_facility", "intakes", ["facility", "status", "received_at", "id"])
    op.create_index("ix_intakes_patient", "intakes", [sa.text("coalesce(patient_hash, mrn_hash)"), "id"])
    op.drop_index("ix_events_timeline", "events")  # of a migration before in this release
    op.create_index("ix_events_timeline", "events", ["referral_id", "number", "id"])
    op.create_index("ix_events_ended", "events", ["referral_id", "id"], postgresql_where=sa.text(ENDED))


def destinations() -> None:
    op.alter_column("destinations", "queue", nullable=True)
    op.create_check_constraint(
        op.f("ck_destinations_facility"),
        "destinations",
        "queue is not null or (facility is not null and escalation_level = 0)",
    )
    op.drop_index("uq_destinations_kept", "destinations")
    op.create_index(
        "uq_destinations_kept",
        "destinations",
        [sa.text("coalesce(queue, '')"), sa.text("coalesce(facility, '')"), "escalation_level", "url"],
        unique=True,
        postgresql_where=sa.text("status <> 'removed'"),
    )
