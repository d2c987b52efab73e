"""What a running `referrals up` leaves in its home for other commands: where it answers, and its settings."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from services.embedded.home import Home, is_taken


@dataclass(frozen=True, slots=True)
class RunFile:
    """A running `up`: its URL, its runtime folder, and the environment of its processes."""

    url: str
    folder: str
    environment: Mapping[str, str] = field(repr=False)


def write(home: Home, running: RunFile) -> None:
    """Leave the note in the runtime folder, readable by its owner alone, and a link to it in `home`.

    So it goes with that folder, also where what runs may not change the home.
    """
    note, link = Path(running.folder) / home.running.name, home.running.with_suffix(".new")
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as writer:
        json.dump(asdict(running), writer)
    link.unlink(missing_ok=True)
    link.symlink_to(note)
    link.rename(home.running)


def read(home: Home) -> RunFile | None:
    """Return the note in `home`, whether or not what it tells of still runs; one that another user wrote is none."""
    try:
        with home.running.open() as reader:
            if os.fstat(reader.fileno()).st_uid not in (os.geteuid(), home.path.stat().st_uid):
                return None
            return RunFile(**json.load(reader))
    except FileNotFoundError:
        return None


def running_in(home: Home) -> RunFile:
    """Return what runs in `home`; raise a message for people if nothing does."""
    running = read(home) if is_taken(home) else None
    if running is None:
        raise click.ClickException(f"nothing is running in {home.path}: start `referrals up`, or set DATABASE_URL")
    return running
