"""Creates a PostgreSQL cluster with one database, `psoas`, for one role with a password, and no other way in."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services.embedded.servers.account import hand_over, named_account
from services.embedded.supervisor.service import Account, as_account

# A server enters its data folder before it gives up root, and knows the folder only as the one it is in. So it needs no
# right to walk there, and no folder above has to be opened to it.
HERE = "/proc/self/cwd"

ACCESS = "local psoas psoas scram-sha-256\n"  # pg_hba.conf: nobody is trusted, and nobody else is let in
INITDB = ("-D", HERE, "--username=postgres", "--auth=reject", "--encoding=UTF8", "--no-locale", "--no-instructions")
ALONE = ("--single", "-D", HERE, "-j", "-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", "postgres")
ROLE_AND_DATABASE = """create role psoas {rights} password '{password}';

create database psoas owner psoas;

"""  # a server on its own ends a statement at an empty line


class ClusterError(Exception):
    """PostgreSQL could not be set up; the message is what it said."""


def create_cluster(
    data: Path, programs: Path, password: str, account: Account | None, *, rights: str = "login"
) -> None:
    """Create the cluster in `data`, which does not exist yet; `password` holds letters, digits, `-` and `_` alone.

    It is built beside and moved into place when it is whole, so an interrupted first start leaves nothing half made.
    """
    building = data.with_name(f"{data.name}.new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    builder = account and named_account()
    hand_over(building, builder)
    _run([programs / "initdb", *INITDB], building, builder)
    _run([programs / "postgres", *ALONE], building, builder, ROLE_AND_DATABASE.format(rights=rights, password=password))
    (building / "pg_hba.conf").write_text(ACCESS)
    hand_over(building, account)
    building.rename(data)


def _run(command: Sequence[str | Path], folder: Path, account: Account | None, given: str = "") -> None:
    done = subprocess.run(  # noqa: S603 - a program of the wheel, with arguments from this file
        command,
        cwd=folder,
        env={},
        **as_account(account),
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClusterError(f"{Path(command[0]).name}: {done.stderr.strip()}")
