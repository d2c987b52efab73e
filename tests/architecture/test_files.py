"""Every file says why it exists, and none has grown a second reason."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    path.relative_to(ROOT)
    for folder in ("services", "shared")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "versions" not in path.parts and path.stat().st_size
]
MAX_FILE = 300
MAX_FUNCTION = 50


def tree(path):
    return ast.parse((ROOT / path).read_text())


@pytest.mark.parametrize("path", FILES, ids=str)
def test_it_says_why_it_exists(path):
    assert ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_it_is_small(path):
    assert len((ROOT / path).read_text().splitlines()) <= MAX_FILE
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in functions if node.end_lineno - node.lineno >= MAX_FUNCTION] == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_it_imports_its_own_project_at_the_top(path):
    inside = [
        ast.unparse(statement)
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
        for statement in ast.walk(function)
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").split(".")[0] in ("services", "shared")
    ]
    assert inside == []
