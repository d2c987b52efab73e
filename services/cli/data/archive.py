"""Runs PostgreSQL's own programs to write a copy of a database, read it back, and count its rows."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from services.embedded.servers.binaries import BinariesMissingError, find_postgres

COPY = re.compile(rb"COPY public\.(\w+) \(")
END = b"\\.\n"


class ArchiveError(Exception):
    """A copy could not be written or read; the message says why."""


@dataclass(frozen=True, slots=True)
class Archiver:
    """pg_dump and pg_restore in `programs`."""

    programs: Path

    def write(self, url: str, file: Path) -> None:
        """Write the database at `url` into `file` as it is at one moment, whatever is written meanwhile."""
        self._run("pg_dump", "--format=custom", f"--file={file}", url=url)

    def read(self, url: str, file: Path) -> None:
        """Restore `file` into the empty database at `url`: all of it, or an error."""
        options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
        self._run("pg_restore", *options, str(file), url=url)

    def count(self, file: Path) -> dict[str, int]:
        """Return how many rows of each table are in `file`, by reading all of it."""
        command = [str(self.programs / "pg_restore"), "--data-only", "--file=-", str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:  # noqa: S603
            assert reader.stdout  # noqa: S101 - both were opened as pipes
            assert reader.stderr  # noqa: S101
            counts = dict(_counted(reader.stdout))
            said = reader.stderr.read().decode(errors="replace")
        if reader.returncode:
            raise ArchiveError(f"{file} cannot be read: {said.strip()}")
        return counts

    def _run(self, program: str, *arguments: str, url: str) -> None:
        address, secret = _without_password(url)
        command = [str(self.programs / program), *arguments, f"--dbname={address}"]
        done = subprocess.run(command, env=os.environ | secret, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise ArchiveError(f"{program}: {done.stderr.strip()}")


def archiver_for(server: int) -> Archiver:
    """Return the programs for a server of this major version: those nearest to it that are not older."""
    found = {folder: _major(folder) for folder in _folders()}
    usable = {folder: major for folder, major in found.items() if major >= server}
    if not usable:
        have = ", ".join(f"{major} in {folder}" for folder, major in found.items()) or "none"
        raise ArchiveError(f"the server is PostgreSQL {server} and needs a pg_dump that is not older; found: {have}")
    return Archiver(min(usable, key=usable.__getitem__))


def _folders() -> Iterator[Path]:
    if installed := shutil.which("pg_dump"):
        yield Path(installed).parent
    with suppress(BinariesMissingError):
        yield find_postgres()


def _major(folder: Path) -> int:
    said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    version = re.search(r"\) (\d+)", said)
    return int(version[1]) if version else 0


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    # What stands in a command line is seen by everybody on the machine.
    given: dict[str, Any] = conninfo_to_dict(url)
    password = given.pop("password", None)
    return make_conninfo(**given), {"PGPASSWORD": password} if password else {}


def _counted(lines: IO[bytes]) -> Iterator[tuple[str, int]]:
    for line in lines:
        if begin := COPY.match(line):
            yield begin[1].decode(), sum(1 for _ in iter(lambda: next(lines), END))
