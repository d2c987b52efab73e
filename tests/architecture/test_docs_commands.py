"""Every block of the docs says what it is, and every command in it exists; what is no example is run by a test.

A block of commands begins with ```sh example, or with ```sh and the tests that run its commands.
"""

import re
import shlex
import subprocess
from pathlib import Path
from uuid import UUID

import click
import pytest

from services.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = {"text", "json", "python", "javascript", "sql", "yaml"}
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(referrals [^`\n]+)`")
BLOCKS = [
    pytest.param(mark, content, id=f"{page.name}:{page.read_text()[: match.start()].count(chr(10)) + 1}")
    for page in PAGES
    for match in FENCE.finditer(page.read_text())
    for mark, content in [match.groups()]
]
PLACEHOLDERS = {"ID": str(UUID(int=1)), "1200:9f2c…": f"1200:{'9f' * 32}", "psoas.dump": "Makefile", ".env": "Makefile"}
SUBCOMMANDS = re.compile(r"(?:^|[ /])referrals ((?:[a-z]+ ?)+)", re.MULTILINE)


def commands(content):
    """Return the arguments of every `referrals` command."""
    lines = (re.sub(r"\s+# .*", "", line) for line in content.replace("\\\n", " ").splitlines())
    found = (re.search(r"(?:^|[ /])referrals (.*)", line) for line in lines)
    return [[PLACEHOLDERS.get(word, word) for word in shlex.split(match[1])] for match in found if match]


def parse(arguments):
    """Parse as the command does, and run nothing."""
    group, context = main, main.make_context("referrals", [], resilient_parsing=True)
    while isinstance(group, click.Group):
        name, *arguments = arguments
        command = group.get_command(context, name)
        assert command, name
        if not isinstance(command, click.Group):
            return command.make_context(name, list(arguments), parent=context)
        group, context = command, command.make_context(name, [], parent=context, resilient_parsing=True)
    return context


@pytest.mark.parametrize(("mark", "content"), BLOCKS)
def test_a_block_says_what_it_is(mark, content):
    kind, *tests = mark.split()
    if kind != "sh":
        assert kind in OTHERS
        assert not re.search(r"^(make|docker|curl|kubectl|referrals|\.venv/bin/\S+) \S", content, re.MULTILINE)
        return
    assert tests, "`example`, or the tests that run it"
    if tests == ["example"]:
        return
    texts = [(ROOT / test).read_text() for test in tests]
    for line in SUBCOMMANDS.findall(content):
        assert any(f'"{line.split()[0]}"' in text for text in texts), line


@pytest.mark.parametrize(("mark", "content"), [block for block in BLOCKS if block.values[0].startswith("sh")])
def test_its_commands_exist(mark, content):  # noqa: ARG001 - they go together
    for arguments in commands(content):
        parse(arguments)
    for target in re.findall(r"^make ([a-z-]+)", content, re.MULTILINE):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text()
    for path in re.findall(r"(?<!/)(?<!exec )\b((?:deploy|tests|bench)/[\w./-]+)", content):
        assert (ROOT / path).exists()


def test_commands_in_sentences_exist():
    texts = [page.read_text() for page in PAGES] + [page.read_text() for page in (ROOT / "docs/adr").glob("*.md")]
    names = {match.split()[1] for text in texts for match in INLINE.findall(text)}
    context = main.make_context("referrals", [], resilient_parsing=True)
    assert {name for name in names if name.isalpha() and main.get_command(context, name) is None} == set()


def test_a_wrong_command_is_found():
    with pytest.raises(click.UsageError):
        parse(["keys", "issue", "--rolle", "submitter"])


def test_make_run_is_the_command_that_tests_start():
    planned = subprocess.run(["make", "--dry-run", "run"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "referrals up" in planned.stdout
