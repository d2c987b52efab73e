"""`referrals people`: members of staff who act under their own names, decided here and nowhere else."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from services.cli.admin.keys import home_option, known_facility
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.clinical.referral.lifecycle import QUEUES
from shared.store.access import people as store
from shared.tables import WITHOUT_FACILITY, Person

MAX_NAME_LENGTH = 200


@click.group()
def people() -> None:
    """Add, list and close persons who act under their own names."""


@people.command()
@click.argument("name")
@click.option("--role", type=click.Choice(WITHOUT_FACILITY), required=True)
@click.option("--queue", "queues", type=click.Choice(QUEUES), multiple=True, help="A queue that a department works.")
@click.option("--facility", help="The facility whose patients the person may see; without it, all.")
@click.option("--login", help="By which the identity provider knows the person (OIDC_CLAIM); for single sign-on.")
@home_option()
@click.option("--json", "as_json", is_flag=True, help="Print an object with `id`, `name`, `key` and `key_id`.")
def add(
    name: str,
    role: str,
    queues: Sequence[str],
    facility: str | None,
    login: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Add a person, and print a personal key this once."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise click.BadParameter(f"1 to {MAX_NAME_LENGTH} printable characters are needed", param_hint="NAME")
    if (role == "department") != bool(queues):
        raise click.UsageError("--queue is for the role department, which needs at least one")
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        known_facility(session, facility)
        try:
            person = store.add(session, name=name, role=role, facility=facility, queues=queues, login=login)
        except store.NameTakenError:
            raise click.ClickException("a person of this name or login is there; close that one first") from None
        key_id, key = store.issue_key(session, person)
    shown = {"id": person.id, "name": name, "key": key, "key_id": key_id}
    click.echo(json.dumps(shown) if as_json else key)


@people.command(name="list")
@home_option()
def list_(home: Path | None) -> None:
    """List every person that was ever added."""
    with database(settings_of(home)) as (_, sessions), sessions() as session:
        for person in store.list_all(session):
            click.echo(described(person))


@people.command()
@click.argument("name")
@home_option()
def close(name: str, home: Path | None) -> None:
    """Close a person. Every key and session of that person opens nothing any more."""
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        if not store.close(session, " ".join(name.split())):
            raise click.ClickException(f"there is no open person {name!r}")
    click.echo(f"closed {name}")


def described(person: Person) -> str:
    """Return a line about a person: id, name, role, what it is for, since when, and whether it is closed."""
    whose = " ".join(filter(None, (person.facility, *person.queues))) or "-"
    state = f"closed {person.closed_at:%Y-%m-%d %H:%M}" if person.closed_at else "open"
    return f"{person.id}  {person.name:<24}  {person.role:<10}  {whose:<24}  {person.created_at:%Y-%m-%d}  {state}"
