"""`referrals migrate`, and the step of `referrals up` that also makes a new database usable."""

import json
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.cli.database import database
from services.cli.settings import settings_or_exit
from shared.crypto import IdentityCipher, UnreadableIdentityError
from shared.database import Sessions
from shared.migrations.migrate import upgrade
from shared.record_numbers import mrn_hashes
from shared.settings import Settings
from shared.store import facilities, keys
from shared.store.patient_hashes import FIRST, backfill
from shared.tables import Intake

MOST_AT_ONCE = 1000
FACILITY = "demo-hospital"
FIRST_KEYS: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("submitter", FACILITY, ()),
    ("department", None, ("neurology", "orthopedics")),
    ("operator", None, ()),
    ("auditor", None, ()),
    ("admin", None, ()),
)


@click.command()
@click.option("--record-numbers", is_flag=True, help="Also hash all record numbers anew, instead of the watchman.")
def migrate(*, record_numbers: bool) -> None:
    """Bring the database's schema to the one this version needs."""
    settings = settings_or_exit()
    with database(settings) as (engine, sessions):
        upgrade(engine)
        if record_numbers:
            hash_record_numbers(sessions, settings)


def hash_record_numbers(sessions: Sessions, settings: Settings) -> None:
    """Backfill every hash of a normalised record number; where it is stopped, the next run goes on."""
    cipher = IdentityCipher(settings.identity_keys)
    after: UUID | None = FIRST
    hashed = unreadable = 0
    while after:
        with sessions.begin() as session:
            step = backfill(session, cipher, settings.lookup_key, after=after, limit=MOST_AT_ONCE)
        hashed, unreadable, after = hashed + step.hashed, unreadable + step.unreadable, step.last
    click.echo(f"record numbers: {hashed} hashed, {unreadable} that these keys do not fit")


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
    if newest.mrn_hash != mrn_hashes(settings.lookup_key, newest.facility, identity["mrn"]).as_typed:
        raise click.ClickException("LOOKUP_KEY is not the one by which this database knows repeats: set the right one")


def first_key(session: Session, role: str, facility: str | None, queues: tuple[str, ...]) -> dict[str, str]:
    """Issue a key; return it with its role and what it is for."""
    if facility is not None:
        facilities.register(session, facility)
    _, key = keys.issue(session, role=role, facility=facility, queues=queues)
    return {"role": role, "key": key, "for": facility or " ".join(queues)}
