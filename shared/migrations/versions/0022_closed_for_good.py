"""A key that was revoked and a person who was closed stay so, and no key opens longer than it was issued for."""

from alembic import op

revision = "0022"
down_revision = "0021"

# The service may set these columns, because it revokes, rotates and closes. It must not take that back: a key that was
# sealed when it was issued would open again, and nothing would show it.
FUNCTIONS = """
create function keys_are_only_closed() returns trigger language plpgsql as $$
begin
    if old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at then
        raise exception 'a revoked key stays revoked' using errcode = 'restrict_violation';
    end if;
    if coalesce(new.expires_at, 'infinity') > coalesce(old.expires_at, 'infinity') then
        raise exception 'a key opens no longer than it was issued for' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create function people_are_only_closed() returns trigger language plpgsql as $$
begin
    if old.closed_at is not null and new.closed_at is distinct from old.closed_at then
        raise exception 'a person who was closed stays closed' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger keys_are_only_closed before update of revoked_at, expires_at on api_keys
    for each row execute function keys_are_only_closed();
create trigger people_are_only_closed before update of closed_at on people
    for each row execute function people_are_only_closed();
"""


def upgrade() -> None:
    op.execute(FUNCTIONS)
