"""`referrals migrate`, and the step of `referrals up` that also checks the secrets against the data."""

import json

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.cli.database import database
from services.cli.settings import settings_or_exit
from shared.crypto import IdentityCipher, UnreadableIdentityError, mrn_hash
from shared.migrations.migrate import upgrade
from shared.settings import Settings
from shared.tables import Intake


@click.command()
def migrate() -> None:
    """Bring the database's schema to the one this version needs."""
    with database(settings_or_exit()) as (engine, _):
        upgrade(engine)


@click.command(hidden=True)
def prepare() -> None:
    """Migrate, and check that the secrets fit the data."""
    settings = settings_or_exit()
    with database(settings) as (engine, sessions):
        upgrade(engine)
        with sessions() as session:
            check_secrets(session, settings)


def check_secrets(session: Session, settings: Settings) -> None:
    """Refuse to go on with a database whose newest intake these secrets do not open, or do not recognise."""
    columns = (Intake.id, Intake.facility, Intake.identity, Intake.mrn_hash)
    newest = session.execute(select(*columns).order_by(Intake.received_at.desc()).limit(1)).first()
    if newest is None:
        return
    try:
        identity = json.loads(IdentityCipher(settings.identity_keys).open(newest.identity, row=str(newest.id)))
    except UnreadableIdentityError:
        raise click.ClickException(
            "IDENTITY_KEYS do not open the identities in this database: set the right ones"
        ) from None
    if mrn_hash(settings.lookup_key, newest.facility, identity["mrn"]) != newest.mrn_hash:
        raise click.ClickException("LOOKUP_KEY is not the one by which this database knows repeats: set the right one")
