"""Decides which user the embedded servers run as, and hands files over to it.

PostgreSQL refuses to run as root. As root the servers run as a user of their own: a number that no other user has, and
that needs no entry in the machine's list of users. It stays because containers and first trials often run as root,
where `initdb` would end with an error that leads nowhere.
"""

import os
import pwd
from pathlib import Path

from services.embedded.supervisor.service import Account

SERVERS_UID = 61042  # in a range that distributions and systemd leave free, and inside a 16-bit container range


def server_account(*data: Path) -> Account | None:
    """Return the account for servers with their data in these folders, or None where they run as the present user.

    Data that exists decides: its owner is used again.
    """
    if os.geteuid() != 0:
        return None
    owners = (folder.stat() for folder in data if folder.exists())
    accounts = (Account(owner.st_uid, owner.st_gid) for owner in owners if owner.st_uid != 0)
    return next(accounts, Account(SERVERS_UID, SERVERS_UID))


def named_account() -> Account:
    """Return an unprivileged account that has a name on this machine; `initdb` insists on a name."""
    entry = min(pwd.getpwall(), key=lambda entry: (entry.pw_name != "nobody", entry.pw_uid == 0, -entry.pw_uid))
    return Account(entry.pw_uid, entry.pw_gid)


def hand_over(path: Path, account: Account | None) -> None:
    """Make `path` and all that is in it belong to `account`; None means that nothing changes hands."""
    if account is None:
        return
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder, name), account.uid, account.gid, follow_symlinks=False)
    os.chown(path, account.uid, account.gid)
