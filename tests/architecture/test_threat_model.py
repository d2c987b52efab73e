"""Every control of the threat model, and every item of the OWASP table, names tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
NAMED = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")
STRIDE = {
    "Spoofing",
    "Tampering",
    "Repudiation",
    "Information disclosure",
    "Denial of service",
    "Elevation of privilege",
}


def rows():
    """Yield the cells of every row of a table, but heads and rules."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] not in ("Flow", "OWASP"):
            yield cells


def test_every_row_names_a_test_and_each_exists():
    found = list(rows())
    assert len(found) > 20
    for cells in found:
        named = NAMED.findall(cells[-1])
        assert named, cells
        for name, path in named:
            functions = ast.walk(ast.parse((ROOT / path).read_text()))
            assert name in {each.name for each in functions if isinstance(each, ast.FunctionDef)}, (name, path)


def test_every_kind_of_threat_and_every_item_of_the_top_ten_is_there():
    assert {cells[1] for cells in rows() if len(cells) == 5} == STRIDE
    first = " ".join(cells[0] for cells in rows())
    assert all(f"API{number} " in first for number in range(1, 11))
