"""`referrals facilities`: who may send forms, decided here and nowhere else."""

import re
from pathlib import Path

import click

from services.cli.admin.keys import home_option
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.store.access import facilities as store
from shared.tables import FACILITY_KINDS, Facility

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@click.group()
def facilities() -> None:
    """Register, list and close the facilities that send forms."""


@facilities.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(FACILITY_KINDS),
    default=store.LIVE,
    show_default=True,
    help="The cases of a `test` one call nobody and are shown on request alone.",
)
@home_option()
def add(name: str, kind: str, home: Path | None) -> None:
    """Register a facility, or reopen a closed one. Only then can keys be issued for it."""
    if not NAME.fullmatch(name):
        raise click.BadParameter("1 to 63 of a-z, 0-9 and -, not beginning with -", param_hint="NAME")
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        try:
            added = store.register(session, name, kind)
        except store.OtherKindError:
            raise click.ClickException(f"{name} is registered with another kind, which does not change") from None
    click.echo(f"{'added' if added else 'already there:'} {name}")


@facilities.command(name="list")
@home_option()
def list_(home: Path | None) -> None:
    """List every facility that was ever registered."""
    with database(settings_of(home)) as (_, sessions), sessions() as session:
        for facility in store.list_all(session):
            click.echo(described(facility))


@facilities.command()
@click.argument("name")
@home_option()
def close(name: str, home: Path | None) -> None:
    """Close a facility: its keys read from now on, and cannot post."""
    with database(settings_of(home)) as (_, sessions), sessions.begin() as session:
        if not store.close(session, name):
            raise click.ClickException(f"there is no facility {name} that could be closed")
    click.echo(f"closed {name}")


def described(facility: Facility) -> str:
    """Return a line about a facility: its name and kind, since when, and whether it is closed."""
    state = f"closed {facility.closed_at:%Y-%m-%d %H:%M}" if facility.closed_at else "open"
    return f"{facility.name:<32}  {facility.kind:<4}  {facility.created_at:%Y-%m-%d %H:%M}  {state}"
