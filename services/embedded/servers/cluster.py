"""Creates a PostgreSQL cluster with one database, `psoas`, whose owner may make the roles beside it.

Nobody is let in without a password, and the superuser not at all.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services.embedded.servers.account import hand_over, named_account
from services.embedded.supervisor.service import Account, as_account

# A server enters its data folder before it gives up root, and knows the folder only as the one it is in. So it needs no
# right to walk there, and no folder above has to be opened to it.
HERE = "/proc/self/cwd"

# pg_hba.conf: nobody is trusted, and nobody is let in but the owner and the roles that it makes.
ACCESS = "local psoas postgres reject\nlocal psoas all scram-sha-256\n"
INITDB = ("-D", HERE, "--username=postgres", "--auth=reject", "--encoding=UTF8", "--no-locale", "--no-instructions")
ALONE = ("--single", "-D", HERE, "-j", "-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", "postgres")
ROLE_AND_DATABASE = """create role psoas {rights} password '{password}';

create database psoas owner psoas;

"""  # a server on its own ends a statement at an empty line


MAY_CREATE_ROLES = "alter role psoas createrole;\n\n"


class ClusterError(Exception):
    """PostgreSQL could not be set up; the message is what it said."""


def create_cluster(
    data: Path, programs: Path, password: str, account: Account | None, *, rights: str = "login createrole"
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


def upgrade_cluster(data: Path, programs: Path, account: Account | None) -> None:
    """Let the owner in a cluster of an earlier release make the roles beside it; others are left as they are.

    The server in `data` does not run. Interrupted, it is done again by the next start.
    """
    access = data / "pg_hba.conf"
    if access.read_text() == ACCESS:
        return
    builder = account and named_account()
    hand_over(data, builder)
    try:
        _run([programs / "postgres", *ALONE], data, builder, MAY_CREATE_ROLES)
    finally:
        hand_over(data, account)
    building = data / "pg_hba.conf.new"
    building.write_text(ACCESS)
    hand_over(building, account)
    building.rename(access)


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
