"""What stands in each queue is counted as it changes, so that reading it takes as long with many as with few."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

OPEN = "status in ('queued', 'acknowledged')"


def upgrade() -> None:
    op.create_table(
        "queue_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("facility", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_changes")),
    )
    op.create_index("ix_referrals_oldest", "referrals", ["queue", "created_at"], postgresql_where=sa.text(OPEN))
    # One statement, one addition, whatever number of referrals it changed.
    op.execute(f"""
        create function note_queue_changes() returns trigger language plpgsql as $$
        begin
            if tg_op = 'INSERT' then
                insert into queue_changes (facility, queue, priority, status, change)
                select facility, queue, priority, status, count(*) from after where {OPEN}
                group by facility, queue, priority, status;
            elsif tg_op = 'DELETE' then
                insert into queue_changes (facility, queue, priority, status, change)
                select facility, queue, priority, status, -count(*) from before where {OPEN}
                group by facility, queue, priority, status;
            else
                insert into queue_changes (facility, queue, priority, status, change)
                select facility, queue, priority, status, sum(change) from (
                    select facility, queue, priority, status, -1 as change from before where {OPEN}
                    union all
                    select facility, queue, priority, status, 1 from after where {OPEN}
                ) as moved
                group by facility, queue, priority, status having sum(change) <> 0;
            end if;
            return null;
        end
        $$
    """)  # noqa: S608 - a constant
    for event, seen in (
        ("insert", "new table as after"),
        ("update", "old table as before new table as after"),
        ("delete", "old table as before"),
    ):
        op.execute(f"""
            create trigger note_queue_changes_on_{event} after {event} on referrals
            referencing {seen} for each statement execute function note_queue_changes()
        """)
    # From the first trigger until the commit nobody else writes referrals, so this misses none and counts none twice.
    op.execute(f"""
        insert into queue_changes (facility, queue, priority, status, change)
        select facility, queue, priority, status, count(*) from referrals where {OPEN}
        group by facility, queue, priority, status
    """)  # noqa: S608 - a constant
