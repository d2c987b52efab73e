"""The folder of one `referrals up`: its databases, its secrets, and the lock by which only one uses it at a time."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path


class HomeError(Exception):
    """The home cannot be used; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """What is where in the folder `path`."""

    path: Path
    secrets_folder: Path | None = None  # where the secrets are kept apart from the data

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def secrets(self) -> Path:
        return self.secrets_folder or self.path / "secrets"

    @property
    def running(self) -> Path:
        return self.path / "running.json"

    @property
    def chain_heads(self) -> Path:
        return self.path / "chain-heads.jsonl"

    @property
    def lock(self) -> Path:
        return self.path / "lock"


def open_home(path: Path, secrets: Path | None = None) -> Home:
    """Return the home at `path`, made if it is not there: a folder that only its owner may enter."""
    home = Home(path.resolve(), secrets and secrets.resolve())
    home.path.parent.mkdir(parents=True, exist_ok=True)
    home.path.mkdir(mode=0o700, exist_ok=True)
    return home


def take_lock(home: Home) -> int:
    """Take the home until this process and those it forks have ended; raise HomeError if it is taken."""
    lock = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode() or "unknown"
        raise HomeError(f"{home.path} is in use by another `referrals up`, process {holder}") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def is_taken(home: Home) -> bool:
    """Say whether a `referrals up` uses the home now."""
    try:
        lock = os.open(home.lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
