"""Decides as whom `referrals up` runs where root starts it, and which single rights of root that needs."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import services
from services.embedded.home import Home
from services.embedded.rights.capabilities import DAC_OVERRIDE, DAC_READ_SEARCH, NET_BIND_SERVICE, become, permitted
from services.embedded.servers.account import server_account
from services.embedded.supervisor.service import Account

UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


@dataclass(frozen=True, slots=True)
class Rights:
    """The account of all processes, and the capabilities that they keep."""

    account: Account
    keep: frozenset[int] = frozenset()

    def readable(self, paths: Iterable[Path]) -> set[Path]:
        """Return those of `paths` that a process with these rights can read."""
        return _seen_as(self, paths, _is_readable)


def planned(home: Home, port: int) -> Rights | None:
    """Return the rights of a service on `home` that listens at `port`; None where this process is not root's.

    Data that exists decides: its owner runs the service.
    """
    account = server_account(home.postgres, home.valkey, home.path)
    if account is None:
        return None
    return Rights(account, frozenset({*_to_bind(port), *_to_read(account)}))


def _to_bind(port: int) -> set[int]:
    first = int(UNPRIVILEGED.read_text()) if UNPRIVILEGED.exists() else 1024
    return {NET_BIND_SERVICE} & permitted() if port < first else set()


def _to_read(account: Account) -> set[int]:
    """Return the right to read all files where the programs are closed to `account`, as those in /root are."""
    programs = {Path(sys.executable), Path(os.__file__), Path(sys.prefix), *map(Path, services.__path__)}
    programs |= {path for entry in sys.path if (path := Path(entry)).exists()}
    if _seen_as(Rights(account), programs, _is_usable) == programs:
        return set()
    return set(sorted({DAC_READ_SEARCH, DAC_OVERRIDE} & permitted(), reverse=True)[:1])


def _seen_as(rights: Rights, paths: Iterable[Path], question: Callable[[Path], bool]) -> set[Path]:
    """Return for which paths a process with `rights` answers `question` with yes."""
    asked = sorted(set(paths))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become(rights.account, rights.keep)
            os.write(writer, bytes(_answer(question, path) for path in asked))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        said = answers.read()
    os.waitpid(child, 0)
    if len(said) != len(asked):
        raise PermissionError(f"root may not become user {rights.account.uid} here, as which the service is to run")
    return {path for path, answer in zip(asked, said, strict=True) if answer}


def _is_readable(path: Path) -> bool:
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))  # not `os.access`, which takes no account of capabilities
    return True


def _is_usable(path: Path) -> bool:
    return os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK)


def _answer(question: Callable[[Path], bool], path: Path) -> bool:
    try:
        return question(path)
    except OSError:
        return False
