"""`referrals backup`: writes a consistent copy of the database, and of the secrets that open it."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from services.cli.admin.keys import home_option
from services.cli.data.archive import ArchiveError, archiver_for
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.platform.settings import Settings, given_values

SECRETS = ("IDENTITY_KEYS", "LOOKUP_KEY", "CHAIN_KEY", "LOOKUP_KEY_PREVIOUS", "WEBHOOK_KEYS")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--secrets", type=click.Path(path_type=Path, dir_okay=False), help="Where to write them; else FILE.secrets."
)
@click.option("--without-secrets", is_flag=True, help="Write the copy alone; the secrets are kept elsewhere.")
@home_option()
def backup(file: Path, secrets: Path | None, home: Path | None, *, without_secrets: bool) -> None:
    """Back up the database and its secrets while the service runs.

    The copy is written into FILE, the secrets into FILE.secrets.

    Keep the two apart: both together can read every patient's identity, and without the secrets nobody can.
    """
    if without_secrets and secrets:
        raise click.UsageError("--secrets and --without-secrets exclude each other")
    secrets = secrets or secrets_of(file)
    settings = settings_of(home).as_owner()
    lines = secret_lines()
    for path, content in ((file, None), *([] if without_secrets else [(secrets, lines)])):
        if path.exists() and not holds(path, content):
            raise click.ClickException(f"{path} exists already; nothing was written")
    if without_secrets:
        _write_alone(settings, file)
        return
    try:
        with building(secrets) as new_secrets, building(file) as new_copy:
            write_closed(new_secrets, lines)
            counts = write_copy(settings, new_copy)
            new_secrets.rename(secrets)  # before the copy: there is never one without them
            new_copy.rename(file)
    except (ArchiveError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{file}: {described(counts)}; read back whole")
    click.echo(f"{secrets}: IDENTITY_KEYS and LOOKUP_KEY, which open it: keep them apart from it")


def _write_alone(settings: Settings, file: Path) -> None:
    try:
        with building(file) as new_copy:
            counts = write_copy(settings, new_copy)
            new_copy.rename(file)
    except (ArchiveError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{file}: {described(counts)}; read back whole; its secrets were not written")


def secrets_of(file: Path) -> Path:
    """Return where the secrets of the copy in `file` are, unless they were moved."""
    return file.with_name(f"{file.name}.secrets")


def holds(file: Path, content: str | None) -> bool:
    """Say whether `file` is what a backup that was killed at its end has left: the same secrets, without a copy."""
    return content is not None and file.is_file() and file.read_text() == content


@contextmanager
def building(file: Path) -> Iterator[Path]:
    """Yield the new, empty file beside `file` that is to take its place, for its owner alone; remove it afterwards.

    What a killed backup has left there is written over. One that still runs holds a lock on it.
    """
    path = file.with_name(f"{file.name}.new")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with _alone(descriptor, path):
            os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, 0)
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(descriptor: int, path: Path) -> Iterator[None]:
    """Hold the lock on a file that is still at `path`; raise ArchiveError where another backup writes it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there = path.stat().st_ino == os.fstat(descriptor).st_ino
    except (BlockingIOError, FileNotFoundError):
        there = False
    if not there:
        raise ArchiveError(f"another backup writes {path}")
    yield


def write_copy(settings: Settings, file: Path) -> Mapping[str, int]:
    """Write the copy into `file` and read it back; return its rows of each table."""
    with database(settings) as (engine, _), engine.connect() as connection:
        version = int(connection.exec_driver_sql("show server_version_num").scalar_one())
    archiver = archiver_for(version // 10000)
    archiver.write(settings.database_url, file)
    return archiver.count(file)


def write_closed(file: Path, content: str) -> None:
    """Write a file that its owner alone may read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())


def secret_lines() -> str:
    """Return the secrets as lines of an `.env` file, as they are given: a key that is wrapped stays so."""
    return "".join(f"{name}={value}\n" for name, value in given_values(SECRETS).items())


def described(counts: Mapping[str, int]) -> str:
    """Return what is in a copy, for people."""
    return ", ".join(f"{counts.get(table, 0)} {table}" for table in ("intakes", "referrals", "events"))
