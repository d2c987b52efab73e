"""The help of `referrals` names what each command does in a sentence that fits on its line of 80 columns."""

import click
import pytest
from click.testing import CliRunner

from services.cli.main import main

GROUPS = [
    (name,)
    for name in main.list_commands(click.Context(main))
    if isinstance(main.get_command(click.Context(main), name), click.Group)
]


@pytest.mark.parametrize("path", [(), *GROUPS], ids=" ".join)
def test_no_line_of_the_help_is_cut(path):
    answer = CliRunner().invoke(main, [*path, "--help"], terminal_width=78, prog_name="referrals")
    assert answer.exit_code == 0
    _, _, commands = answer.output.partition("Commands:\n")
    assert commands
    assert [line for line in commands.splitlines() if line.endswith("...")] == []
