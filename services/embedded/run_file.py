"""What a running `referrals up` leaves in its home for other commands: where it answers, and its settings."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import click

from services.embedded.home import Home, is_taken


@dataclass(frozen=True, slots=True)
class RunFile:
    """A running `up`: its URL, its runtime folder, and the environment of its processes."""

    url: str
    folder: str
    environment: Mapping[str, str] = field(repr=False)


def write(home: Home, running: RunFile) -> None:
    """Leave the note in `home`, readable by its owner alone."""
    whole = home.running.with_suffix(".new")
    with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as writer:
        json.dump(asdict(running), writer)
    whole.rename(home.running)


def read(home: Home) -> RunFile | None:
    """Return the note in `home`, whether or not what it tells of still runs."""
    try:
        return RunFile(**json.loads(home.running.read_text()))
    except FileNotFoundError:
        return None


def running_in(home: Home) -> RunFile:
    """Return what runs in `home`; raise a message for people if nothing does."""
    running = read(home) if is_taken(home) else None
    if running is None:
        raise click.ClickException(f"nothing is running in {home.path}: start `referrals up`, or set DATABASE_URL")
    return running
