"""Whatever a log line is given, the list of log keys names: what it does not name is dropped in silence."""

import ast
from pathlib import Path

import pytest

from shared.logs import ALLOWED

ROOT = Path(__file__).parents[2]
LOGGERS = {"log", "structlog.contextvars"}


def given():
    """Yield file and key of everything that is logged or bound to the log."""
    for folder in ("services", "shared"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[0] in LOGGERS:
                    yield from ((path.relative_to(ROOT), keyword.arg) for keyword in call.keywords)


def test_there_is_something_to_check():
    assert len(set(given())) > 10


@pytest.mark.parametrize(("path", "key"), sorted(set(given())), ids=str)
def test_the_list_names_it(path, key):
    assert key in ALLOWED
