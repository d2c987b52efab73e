"""`referrals migrate`, and the step of `referrals up` that also makes a new database usable."""

import json
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.cli.database import database
from services.cli.settings import settings_or_exit
from shared.crypto import IdentityCipher, UnreadableIdentityError, mrn_hash
from shared.migrations.head import HEAD
from shared.migrations.migrate import upgrade
from shared.settings import Settings
from shared.store import keys
from shared.tables import Intake

FACILITY = "demo-hospital"
FIRST_KEYS: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("submitter", FACILITY, ()),
    ("department", None, ("neurology", "orthopedics")),
    ("operator", None, ()),
    ("auditor", None, ()),
    ("admin", None, ()),
)


@click.command()
def migrate() -> None:
    """Bring the database's schema to the one this version needs. One that is later is left as it is."""
    with database(settings_or_exit()) as (engine, _):
        later = upgrade(engine)
    if later:
        click.echo(f"The schema is at {later}, later than {HEAD}, which this version needs: there is nothing to do.")


@click.command(hidden=True)
@click.option("--first-keys", "file", type=click.Path(path_type=Path), required=True)
def prepare(file: Path) -> None:
    """Migrate; check that the secrets fit the data; if there are no keys yet, issue one for each role into a file."""
    settings = settings_or_exit()
    with database(settings) as (engine, sessions):
        upgrade(engine)
        with sessions.begin() as session:
            check_secrets(session, settings)
            if not keys.list_all(session):
                file.touch(mode=0o600)
                file.write_text(json.dumps([first_key(session, *each) for each in FIRST_KEYS]))


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


def first_key(session: Session, role: str, facility: str | None, queues: tuple[str, ...]) -> dict[str, str]:
    """Issue a key; return it with its role and what it is for."""
    _, key = keys.issue(session, role=role, facility=facility, queues=queues)
    return {"role": role, "key": key, "for": facility or " ".join(queues)}
