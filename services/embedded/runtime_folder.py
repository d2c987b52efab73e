"""The short private folder in which the embedded servers put their sockets, for as long as they run."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.embedded import run_file
from services.embedded.home import Home
from services.embedded.servers.account import hand_over
from services.embedded.supervisor.service import Account

PREFIX = "psoas-"
MAX_BASE = 60  # characters; the path of a socket may have 107
# What root chose may be closed to another account, and a long path exceeds the limit of a socket's name.
SHORT = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - the folder made in one of them is private


@contextmanager
def runtime_folder(home: Home, account: Account | None) -> Iterator[Path]:
    """Yield a new folder that only the servers' account may enter, and remove what a killed run left of its own."""
    _remove_leftover(home, {os.geteuid(), account.uid if account else os.geteuid()})
    chosen = tempfile.gettempdir()
    base = _open_to_all() if account or len(chosen) > MAX_BASE else chosen
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    try:
        hand_over(folder, account)
        yield folder
    finally:
        _remove(folder)


def _open_to_all() -> Path:
    """Return a folder in which every account may make folders, and remove its own."""
    return next((path for path in SHORT if path.is_dir() and path.stat().st_mode & stat.S_IWOTH), SHORT[0])


def binaries_folder(folder: Path) -> Path:
    """Return where copies of the servers' programs go if they are needed; more than one user has to run them."""
    return folder.with_name(f"{folder.name}-programs")


def _remove(folder: Path) -> None:
    for path in (folder, binaries_folder(folder)):
        shutil.rmtree(path, ignore_errors=True)


def _remove_leftover(home: Home, owners: set[int]) -> None:
    left = run_file.read(home)
    if left is None:
        return
    folder = Path(left.folder)
    if folder.name.startswith(PREFIX) and folder.is_dir() and folder.lstat().st_uid in owners:
        _remove(folder)
    home.running.unlink()
