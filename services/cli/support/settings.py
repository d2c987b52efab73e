"""Opens the settings for a command, with a message for people where that fails."""

import os
from collections.abc import Collection
from pathlib import Path

import click

from services.embedded.home import Home
from services.embedded.run_file import running_in
from shared.platform.settings import Settings, SettingsError, load_settings

DEFAULT_HOME = Path("var")


def settings_or_exit(without: Collection[str] = ()) -> Settings:
    """Return the settings in the environment, which may lack what the command does `without`."""
    try:
        return load_settings(without)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def settings_of(home: Path | None, without: Collection[str] = ()) -> Settings:
    """Return the settings of what runs in `home`; without one those of the environment, or of what runs in `var`.

    They may lack what the command does `without`.
    """
    if home or not ("DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ):
        os.environ.update(running_in(Home((home or DEFAULT_HOME).resolve())).environment)
    return settings_or_exit(without)
