"""`referrals keys`: issues, lists and revokes API keys. There is no other place to do so."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.clinical.referral.lifecycle import QUEUES
from shared.store.access import keys as store
from shared.tables import ROLES, WITHOUT_FACILITY, ApiKey

home_option = partial(
    click.option,
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="The home of a running `referrals up`; without it, DATABASE_URL or ./var.",
)


@click.group()
def keys() -> None:
    """Issue, list and revoke API keys."""


@keys.command()
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--facility", help="The only facility that the key sees; a submitter needs one.")
@click.option("--queue", "queues", type=click.Choice(QUEUES), multiple=True, help="A queue that a department works.")
@home_option()
@click.option("--json", "as_json", is_flag=True, help="Print an object with `key` and `id`.")
def issue(role: str, facility: str | None, queues: Sequence[str], home: Path | None, as_json: bool) -> None:
    """Issue a key, and print it this once."""
    if facility is not None and not facility.strip():
        raise click.UsageError("--facility is empty")
    if role not in WITHOUT_FACILITY and facility is None:
        raise click.UsageError("a submitter's key needs --facility")
    if (role == "department") != bool(queues):
        raise click.UsageError("--queue is for a department's key, which needs at least one")
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        key_id, key = store.issue(session, role=role, facility=facility, queues=queues)
    click.echo(json.dumps({"key": key, "id": key_id}) if as_json else key)


@keys.command(name="list")
@home_option()
def list_(home: Path | None) -> None:
    """List every key that was ever issued, without its secret."""
    with database(settings_of(home)) as (_, sessions), sessions() as session:
        for key in store.list_all(session):
            click.echo(described(key))


@keys.command()
@click.argument("key_id", metavar="ID")
@home_option()
def revoke(key_id: str, home: Path | None) -> None:
    """Revoke a key: it opens nothing any more."""
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        if not store.revoke(session, key_id):
            raise click.ClickException(f"there is no key {key_id} that could be revoked")
    click.echo(f"revoked {key_id}")


def described(key: ApiKey) -> str:
    """Return a line about a key: id, role, whose it is, since when, and whether it is revoked."""
    whose = " ".join(filter(None, (key.facility, *key.queues))) or "-"
    state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "live"
    return f"{key.id}  {key.role:<10}  {whose:<24}  {key.created_at:%Y-%m-%d %H:%M}  {state}"
