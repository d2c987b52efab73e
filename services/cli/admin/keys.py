"""`referrals keys`: issues, lists and revokes API keys. There is no other place to do so."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path

import click
from sqlalchemy.orm import Session

from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.clinical.referral.lifecycle import QUEUES
from shared.platform import clock
from shared.store.access import keys as store
from shared.store.access import people
from shared.store.access.facilities import UnknownFacilityError, require
from shared.store.access.keys import LIFETIME, OVERLAP
from shared.tables import ROLES, WITHOUT_FACILITY, ApiKey

DATA_KEYS = {
    "rotate-identity": "services.cli.admin.data_keys:rotate_identity",
    "rotate-lookup": "services.cli.admin.data_keys:rotate_lookup",
    "wrap": "services.cli.admin.wrap_keys:wrap",
}

home_option = partial(
    click.option,
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="The home of a running `referrals up`; without it, DATABASE_URL or ./var.",
)


class Keys(click.Group):
    """Finds the commands of data keys in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *DATA_KEYS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in DATA_KEYS:
            return super().get_command(ctx, cmd_name)
        module, name = DATA_KEYS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=Keys)
def keys() -> None:
    """Issue, list and revoke API keys; rotate and wrap data keys."""


@keys.command()
@click.option("--role", type=click.Choice(ROLES), help="Needed, but for a person's further key.")
@click.option("--facility", help="The only facility that the key sees, registered before; a submitter needs one.")
@click.option("--queue", "queues", type=click.Choice(QUEUES), multiple=True, help="A queue that a department works.")
@click.option("--person", help="Whose further key it is; role, facility and queues are the person's.")
@click.option("--label", help="What it is for, for those who read the list.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=LIFETIME.days, show_default=True, help="Until it expires."
)
@home_option()
@click.option("--json", "as_json", is_flag=True, help="Print an object with `key` and `id`.")
def issue(
    role: str | None,
    facility: str | None,
    queues: Sequence[str],
    person: str | None,
    label: str | None,
    days: int,
    home: Path | None,
    as_json: bool,
) -> None:
    """Issue a key, and print it this once."""
    if person is None:
        _check_scope(role, facility, queues)
    elif role or facility or queues:
        raise click.UsageError("--person brings its own role, facility and queues")
    lifetime = timedelta(days=days)
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        if person is None:
            known_facility(session, facility)
            key_id, key = store.issue(
                session, role=role or "", facility=facility, queues=queues, label=label, lifetime=lifetime
            )
        else:
            found = people.find_open(session, person)
            if found is None:
                raise click.ClickException(f"there is no open person {person!r}")
            key_id, key = people.issue_key(session, found, label=label, lifetime=lifetime)
    click.echo(json.dumps({"key": key, "id": key_id}) if as_json else key)


def _check_scope(role: str | None, facility: str | None, queues: Sequence[str]) -> None:
    if role is None:
        raise click.UsageError("--role is needed")
    if facility is not None and not facility.strip():
        raise click.UsageError("--facility is empty")
    if role not in WITHOUT_FACILITY and facility is None:
        raise click.UsageError("a submitter's key needs --facility")
    if (role == "department") != bool(queues):
        raise click.UsageError("--queue is for a department's key, which needs at least one")


@keys.command(name="list")
@home_option()
def list_(home: Path | None) -> None:
    """List every key that was ever issued, without its secret."""
    with database(settings_of(home)) as (_, sessions), sessions() as session:
        names = store.names_of_people(session)
        for key in store.list_all(session):
            click.echo(described(key, names))


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option("--overlap", type=click.IntRange(0, 90), default=OVERLAP.days, show_default=True, help="In days.")
@home_option()
@click.option("--json", "as_json", is_flag=True, help="Print an object with `key` and `id`.")
def rotate(key_id: str, overlap: int, home: Path | None, as_json: bool) -> None:
    """Replace a key by a new one, and print that this once. Both open until --overlap is over."""
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        new = store.rotate(session, key_id, timedelta(days=overlap))
    if new is None:
        raise click.ClickException(f"there is no live key {key_id} that was not rotated before")
    click.echo(json.dumps({"key": new[1], "id": new[0]}) if as_json else new[1])


@keys.command()
@click.argument("key_id", metavar="ID")
@home_option()
def revoke(key_id: str, home: Path | None) -> None:
    """Revoke a key, so that it opens nothing any more."""
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        if not store.revoke(session, key_id):
            raise click.ClickException(f"there is no key {key_id} that could be revoked")
    click.echo(f"revoked {key_id}")


def known_facility(session: Session, name: str | None) -> None:
    """Refuse a facility that is not registered."""
    try:
        require(session, name)
    except UnknownFacilityError:
        raise click.UsageError(f"there is no facility {name}: register it with `referrals facilities add`") from None


def described(key: ApiKey, names: Mapping[str, str]) -> str:
    """Return a line about a key: id, role, whose it is, since when, last use, how it stands, and its label."""
    person = key.person_id and names.get(key.person_id)
    whose = person or " ".join(filter(None, (key.facility, *key.queues))) or "-"
    used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
    label = f"  {key.label}" if key.label else ""
    return f"{key.id}  {key.role:<10}  {whose:<24}  {key.created_at:%Y-%m-%d %H:%M}  {used:<21}  {_state(key)}{label}"


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
    if key.expires_at is None:
        return "live"
    word = "expired" if key.expires_at <= clock.now() else "live until"
    replaced = f", replaced by {key.replaced_by}" if key.replaced_by else ""
    return f"{word} {key.expires_at:%Y-%m-%d}{replaced}"
