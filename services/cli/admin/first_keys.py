"""The first API keys of a new database: one for each role, issued when the whole service is ready."""

import json
from pathlib import Path

import click
from sqlalchemy.orm import Session

from services.cli.support.database import database
from services.cli.support.settings import settings_or_exit
from shared.store.access import facilities, keys

FACILITY = "demo-hospital"
FIRST_KEYS: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("submitter", FACILITY, ()),
    ("department", None, ("neurology", "orthopedics")),
    ("operator", None, ()),
    ("auditor", None, ()),
    ("admin", None, ()),
)


@click.command(name="first-keys", hidden=True)
@click.argument("file", type=click.Path(path_type=Path))
def first_keys(file: Path) -> None:
    """Issue one key for each role into FILE if the database has no keys yet.

    It is the last step of a start: a start that fails before has issued none, and the next one does.
    """
    with database(settings_or_exit()) as (_, sessions), sessions.begin() as session:
        if not keys.list_all(session):
            file.touch(mode=0o600)
            file.write_text(json.dumps([first_key(session, *each) for each in FIRST_KEYS]))


def first_key(session: Session, role: str, facility: str | None, queues: tuple[str, ...]) -> dict[str, str]:
    """Issue a key; return it with its role and what it is for."""
    if facility is not None:
        facilities.register(session, facility)
    _, key = keys.issue(session, role=role, facility=facility, queues=queues)
    return {"role": role, "key": key, "for": facility or " ".join(queues)}
