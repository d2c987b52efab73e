"""Every function, class, constant, template and style of the service is used by the service, not by its tests alone."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = (".py", ".html", ".sql", ".toml", ".yml", ".yaml", ".js", "Makefile", "Dockerfile")
CONSOLE = ROOT / "services/api/console"
FOUND_OTHERWISE = {
    "CountStorage",  # by the scheme of its URL
    "PAGES",  # importing the pages adds their routes
}
MODULES = [
    path
    for top in ("services", "shared")
    for path in sorted((ROOT / top).rglob("*.py"))
    if "versions" not in path.parts and path.stat().st_size
]


@cache
def words():
    """Count each word of everything but tests and vendored files."""
    counts = Counter()
    for top in ("services", "shared", "bench", "deploy", "Makefile", "pyproject.toml", "docker-compose.yml"):
        for path in [ROOT / top] if (ROOT / top).is_file() else (ROOT / top).rglob("*"):
            if path.is_file() and path.name.endswith(TEXTS) and "vendor" not in path.parts:
                counts.update(re.findall(r"\w+", path.read_text()))
    return counts


def defined(path):
    """Yield what a module defines for others; what a decorator registers and what a library calls is left out."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list:
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name))
        if isinstance(node, ast.ClassDef) and not node.bases:
            yield from (
                each.name for each in node.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("__")
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_it_defines_is_used(path):
    assert [name for name in defined(path) if words()[name] < 2 and name not in FOUND_OTHERWISE | {"__all__"}] == []


def test_every_template_is_used():
    rendered = "".join(path.read_text() for path in CONSOLE.rglob("*") if path.suffix in (".py", ".html"))
    names = {path.stem for path in (CONSOLE / "templates/console").glob("*.html")}
    assert {name for name in names if not re.search(rf"\b{name}\b", rendered)} == set()


def test_every_style_is_used():
    """A class may be put together: `tag-{{ name }}` uses every class that begins with `tag-`."""
    style = re.sub(r"/\*.*?\*/", "", (CONSOLE / "static/console.css").read_text(), flags=re.DOTALL)
    pages = [
        path
        for top in (CONSOLE, ROOT / "services/api/openapi")
        for path in top.rglob("*")
        if "vendor" not in path.parts
    ]
    used = "".join(path.read_text() for path in pages if path.suffix in (".py", ".html", ".js"))
    begun = tuple(set(re.findall(r"([a-z]+-)\{\{", used)) | set(re.findall(r"([a-z]+-)['\"] [~+]", used)) | {"due-"})
    classes = set(re.findall(r"\.([a-zA-Z][\w-]*)", style))
    assert {
        name for name in classes if not re.search(rf"(?<![\w-]){name}(?![\w-])", used) and not name.startswith(begun)
    } == set()
