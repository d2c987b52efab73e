"""`referrals migrate`, and the step of `referrals up` that also checks the secrets against the data."""

from uuid import UUID

import click

from services.cli.checks.secrets import check_secrets
from services.cli.support.database import database
from services.cli.support.settings import settings_or_exit
from shared.migrations.head import HEAD, version
from shared.migrations.migrate import upgrade
from shared.migrations.roles import RolesError, logins
from shared.platform.ciphers import identity_cipher
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.store.patients.patient_hashes import FIRST, backfill

MAX_BATCH = 1000


@click.command()
@click.option("--record-numbers", is_flag=True, help="Also hash all record numbers anew, instead of the watchman.")
def migrate(*, record_numbers: bool) -> None:
    """Migrate the schema, and check that the secrets fit the data.

    It connects by OWNER_DATABASE_URL where that is set, and lets the role in DATABASE_URL in. A schema that is later is
    left as it is.
    """
    settings = settings_or_exit(without=("REDIS_URL",))
    before, later = migrated(settings)
    if later is None and before != HEAD:
        click.echo(f"schema {before or 'empty'} → {HEAD}")
    with database(settings) as (_, sessions):
        with sessions() as session:
            check_secrets(session, settings)
        if record_numbers:
            hash_record_numbers(sessions, settings)
    if later:
        click.echo(f"The schema is at {later}, later than {HEAD}, which this version needs: there is nothing to do.")


def hash_record_numbers(sessions: Sessions, settings: Settings) -> None:
    """Backfill every hash of a normalised record number; where it is stopped, the next run goes on."""
    cipher = identity_cipher(settings)
    after: UUID | None = FIRST
    hashed = unreadable = 0
    while after:
        with sessions.begin() as session:
            step = backfill(session, cipher, settings.lookup_key, after=after, limit=MAX_BATCH)
        hashed, unreadable, after = hashed + step.hashed, unreadable + step.unreadable, step.last
    click.echo(f"record numbers: {hashed} hashed, {unreadable} that these keys do not fit")


@click.command(hidden=True)
def prepare() -> None:
    """Migrate, and check that the secrets fit the data; print a change of the schema of a home that had one."""
    settings = settings_or_exit(without=("REDIS_URL",))
    before, later = migrated(settings)
    if later is None and before not in (None, HEAD):
        click.echo(f"schema {before} → {HEAD}")
    with database(settings) as (_, sessions), sessions() as session:
        check_secrets(session, settings)


def migrated(settings: Settings) -> tuple[str | None, str | None]:
    """Migrate as the owner of the schema, who also lets the other roles in.

    Return the revision before, and what `upgrade` returns.
    """
    with database(settings.as_owner()) as (engine, _):
        with engine.connect() as connection:
            before = version(connection)
        try:
            later = upgrade(engine, logins(settings))
        except RolesError as error:
            raise click.ClickException(str(error)) from None
    return before, later
