"""No folder has more modules than a reader can take in, and no long statement stands inside Python."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_MODULES = 12  # beside __init__.py
MAX_SQL_LINES = 10
VERSIONS = ROOT / "shared/migrations/versions"  # every release adds to it, and nobody reads it as a whole
FOLDERS = sorted({path.parent for top in ("services", "shared") for path in (ROOT / top).rglob("*.py")} - {VERSIONS})
STORE = sorted((ROOT / "shared/store").rglob("*.py"))
STATEMENTS = sorted((ROOT / "shared/store/sql").glob("*.sql"))


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_a_folder_holds_at_most_a_dozen_modules(folder):
    assert len([path.name for path in folder.glob("*.py") if path.name != "__init__.py"]) <= MAX_MODULES


@pytest.mark.parametrize("path", STORE, ids=relative)
def test_long_statements_have_files_of_their_own(path):
    literals = [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    long = [text for text in literals if text.strip().count("\n") >= MAX_SQL_LINES]
    assert [text for text in long if text.lstrip().startswith(("select", "with", "insert", "update", "delete"))] == []


@pytest.mark.parametrize("path", STATEMENTS, ids=relative)
def test_each_statement_says_what_it_does_and_is_used(path):
    assert path.read_text().startswith("-- ")
    assert any(re.search(rf'load\(\s*"{path.stem}"', module.read_text()) for module in STORE)
