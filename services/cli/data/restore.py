"""`referrals restore`: makes a new home for `referrals up` from a backup, completely or not at all."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from sqlalchemy import Engine, text, update

from services.cli.checks.secrets import check_secrets
from services.cli.data.archive import ArchiveError, Archiver
from services.cli.data.backup import described, secrets_of
from services.cli.support.database import database
from services.cli.support.settings import settings_or_exit
from services.embedded import run_file as note
from services.embedded.home import Home, HomeError, open_home, take_lock
from services.embedded.home_secrets import home_secrets, keep_secrets
from services.embedded.runtime_folder import runtime_folder
from services.embedded.servers.account import server_account
from services.embedded.servers.binaries import BinariesMissingError
from services.embedded.servers.cluster import ClusterError
from services.embedded.servers.postgres import clear_leftovers
from services.embedded.servers.provision import embedded_servers
from services.embedded.supervisor.single_service import running_service
from services.embedded.supervisor.subreaper import run_under_subreaper
from services.embedded.supervisor.supervised_process import CannotStartError
from shared.migrations.migrate import upgrade
from shared.platform.settings import Settings
from shared.tables import Destination

SECRETS = ("IDENTITY_KEYS", "LOOKUP_KEY")
LATER_SECRETS = ("CHAIN_KEY", "LOOKUP_KEY_PREVIOUS", "WEBHOOK_KEYS")  # copies of earlier releases lack them
NO_BROKER = "redis://localhost:0"  # the setting is required, and a restore connects to none


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True, readable=False))
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Lines with IDENTITY_KEYS= and LOOKUP_KEY=; by default FILE.secrets.",
)
@click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), required=True, help="The home to make; not there yet."
)
@click.option("--rehearsal", is_flag=True, help="Disable all destinations: nobody is called by what is only tried.")
def restore(file: Path, secrets: Path | None, home: Path, rehearsal: bool) -> None:
    """Make a home for `referrals up` from the backup in FILE. It is there only once it is whole and was checked.

    What was due when the backup was made is due again: referrals are delivered, and clocks have run on.
    """
    given = read_secrets(secrets or secrets_of(file))
    home = home.resolve()
    if home.exists() and any(home.iterdir()):
        raise click.ClickException(f"{home} is not empty: restore into a home that is not there yet")
    raise SystemExit(run_under_subreaper(partial(run, file.resolve(), given, home, rehearsal=rehearsal)))


def read_secrets(file: Path) -> dict[str, str]:
    """Return IDENTITY_KEYS, LOOKUP_KEY and other keys, where they are there, from lines as in an `.env` file."""
    try:
        lines = [line.strip().partition("=") for line in file.read_text().splitlines()]
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}; without its secrets a backup is unreadable") from None
    given = {name: value for name, _, value in lines if name in (*SECRETS, *LATER_SECRETS)}
    if missing := [name for name in SECRETS if not given.get(name)]:
        raise click.ClickException(f"{file} does not name {' and '.join(missing)}")
    return given


def run(file: Path, given: Mapping[str, str], home: Path, *, rehearsal: bool) -> int:
    """Restore into `home` and say so, or why not; return the exit code."""
    try:
        counts = restored(file, given, home, rehearsal=rehearsal)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (ArchiveError, CannotStartError, ClusterError, HomeError, BinariesMissingError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    click.echo(f"{home}: {described(counts)}; as many as in the backup, and the secrets open them")
    click.echo(f"start it: referrals up --home {home}")
    return 0


def restored(file: Path, given: Mapping[str, str], home: Path, *, rehearsal: bool) -> Mapping[str, int]:
    """Build the home beside its place, and move it there once it was checked; return its rows of each table."""
    building = emptied(home.with_name(f".{home.name}.restoring"))  # not a name that a home would have
    try:
        with server(building, given) as (settings, archiver):
            counts = filled(settings, archiver, file, rehearsal=rehearsal)
        building.path.rename(home)
    finally:
        shutil.rmtree(building.path, ignore_errors=True)
    return counts


def emptied(path: Path) -> Home:
    """Return the home at `path`, taken, without what an interrupted restore left in it."""
    building = open_home(path)
    take_lock(building)
    if building.postgres.exists():
        clear_leftovers(building.postgres)
    for left in building.path.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        elif left not in (building.lock, building.running):
            left.unlink()
    return building


@contextmanager
def server(building: Home, given: Mapping[str, str]) -> Iterator[tuple[Settings, Archiver]]:
    """Yield settings for the home's new database, whose server runs meanwhile, and the programs that fit it."""
    keep_secrets(building, **{name.lower(): given[name] for name in (*SECRETS, *LATER_SECRETS) if name in given})
    account = server_account()
    with runtime_folder(building, account) as folder:
        note.write(
            building, note.RunFile("", str(folder), {})
        )  # by which the next restore finds what a killed one left
        (postgres,), address = embedded_servers(building, ["DATABASE_URL"], account, folder, home_secrets(building))
        for name, value in {**given, **address, "REDIS_URL": NO_BROKER}.items():
            os.environ.pop(f"{name}_FILE", None)
            os.environ[name] = value
        settings = settings_or_exit().as_owner()
        with running_service(postgres):
            yield settings, Archiver(Path(postgres.command[0]).parent)
        building.running.unlink()


def filled(settings: Settings, archiver: Archiver, file: Path, *, rehearsal: bool) -> Mapping[str, int]:
    """Fill the database from `file` and check that all of it is there; return its rows of each table."""
    archiver.read(settings.database_url, file)
    counts = archiver.count(file)
    with database(settings) as (engine, sessions):
        if missing := {table for table, count in counts.items() if rows(engine, table) != count}:
            raise ArchiveError(f"not every row arrived: {', '.join(sorted(missing))}")
        upgrade(engine)
        with sessions.begin() as session:
            check_secrets(session, settings)
            if rehearsal:
                session.execute(update(Destination).where(Destination.status == "active").values(status="disabled"))
    return counts


def rows(engine: Engine, table: str) -> int:
    """Return how many rows a table has, however long it takes to count them."""
    with engine.connect() as connection:
        connection.execute(text("set local statement_timeout = 0"))
        return int(connection.exec_driver_sql(f'select count(*) from "{table}"').scalar_one())  # noqa: S608 - of the copy
