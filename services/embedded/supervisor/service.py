"""Describes a supervised process: how to start it, when it is ready, and how to stop it."""

import re
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group, by number, that a process runs as."""

    uid: int
    gid: int


def as_account(account: Account | None) -> dict[str, Any]:
    """Return the arguments with which `subprocess` starts a process as `account`; None is the present user."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


@dataclass(frozen=True, slots=True)
class Service:
    """A process to keep running, or with `once` a step that has to end well before the next stage begins.

    Without a `command` it is a fork of the supervisor that calls `run`, and ends with the code of its SystemExit.
    `prepare` runs before every start; what it raises as OSError counts as a failed start. `ready` is asked with the
    process id until it says yes. A fork keeps the files in `keep` open; a program that is `bare` gets none of the
    capabilities that the supervisor has. Secrets in `environment` stay out of `repr`.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    run: Callable[[], object] = lambda: None
    ready: Callable[[int], bool] = lambda _: True
    prepare: Callable[[], None] = lambda: None
    folder: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_phase: int = 0  # those of a lower phase are stopped before
    once: bool = False
    keep: Collection[int] = ()
    bare: bool = False
    routine: re.Pattern[str] | None = None  # lines of its output that say nothing to act on: kept, but not shown
