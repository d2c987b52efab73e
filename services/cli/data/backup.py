"""`referrals backup`: a copy of the database as it is at one moment, and of the secrets that open it."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path

import click

from services.cli.admin.keys import home_option
from services.cli.data.archive import ArchiveError, archiver_for
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.platform.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@home_option()
def backup(file: Path, home: Path | None) -> None:
    """Write a copy of the database into FILE and its secrets into FILE.secrets, while the service goes on.

    Keep the two apart: whoever has both can read every patient's identity, and without the secrets nobody can.
    """
    secrets = secrets_of(file)
    for path in (file, secrets):
        if path.exists():
            raise click.ClickException(f"{path} exists already; nothing was written")
    settings = settings_of(home)
    try:
        counts = write_copy(settings, file)
        write_closed(secrets, secret_lines(settings))
    except (ArchiveError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{file}: {described(counts)}; read back whole")
    click.echo(f"{secrets}: IDENTITY_KEYS and LOOKUP_KEY, which open it: keep them apart from it")


def secrets_of(file: Path) -> Path:
    """Return where the secrets of the copy in `file` are, unless somebody has put them elsewhere."""
    return file.with_name(f"{file.name}.secrets")


def write_copy(settings: Settings, file: Path) -> Mapping[str, int]:
    """Write the copy, which is at `file` only once it is whole and was read back; return its rows of each table."""
    with database(settings) as (engine, _), engine.connect() as connection:
        version = int(connection.exec_driver_sql("show server_version_num").scalar_one())
    archiver = archiver_for(version // 10000)
    building = file.with_name(f"{file.name}.new")
    write_closed(building, "")
    try:
        archiver.write(settings.database_url, building)
        counts = archiver.count(building)
        building.rename(file)
    finally:
        building.unlink(missing_ok=True)
    return counts


def write_closed(file: Path, content: str) -> None:
    """Write a new file that its owner alone may read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())


def secret_lines(settings: Settings) -> str:
    """Return the secrets as lines of an `.env` file."""
    keys = ",".join(f"{name}:{_encoded(key)}" for name, key in settings.identity_keys.items())
    return f"IDENTITY_KEYS={keys}\nLOOKUP_KEY={_encoded(settings.lookup_key)}\n"


def described(counts: Mapping[str, int]) -> str:
    """Return what is in a copy, for people."""
    return ", ".join(f"{counts.get(table, 0)} {table}" for table in ("intakes", "referrals", "events"))


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()
