"""Whatever a log line is given, the list of log keys names: what it does not name is dropped in silence."""

import ast
from pathlib import Path

from shared.platform.logs import ALLOWED

ROOT = Path(__file__).parents[2]
LOGGERS = {"log", "structlog.contextvars"}


def given() -> dict[str, Path]:
    """Return each key that is logged or bound to the log, with a file that does so."""
    return {
        keyword.arg: path.relative_to(ROOT)
        for folder in ("services", "shared")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[0] in LOGGERS
        for keyword in call.keywords
        if keyword.arg
    }


def test_the_list_names_every_key_that_is_logged():
    assert len(given()) > 10
    assert {key: path for key, path in given().items() if key not in ALLOWED} == {}
