"""The `referrals` command. A command's module is loaded when it is called: each starts quickly and stays small."""

from importlib import import_module
from typing import Any

import click

from services.cli.commands import COMMANDS


class Commands(click.Group):
    """Finds a command by its name in COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's interface
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: Any = getattr(import_module(module), name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="psoas", prog_name="referrals")
def main() -> None:
    """Route referrals of patients who cannot lift a leg while lying flat."""
