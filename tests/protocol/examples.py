"""The worked cases and the labelled free texts of the active protocol, as the specification gives them."""

import json
from pathlib import Path
from typing import Any

import shared.protocols
from tests.cases import Case

FOLDER = Path(shared.protocols.__file__).parent / "failed-slr/2026.2.0"


def cases() -> list[Case]:
    worked: list[dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text())
    return [Case(case["id"], case["age_years"], case["form"], case["expect"]) for case in worked]


def corpus() -> list[dict[str, str]]:
    """Each with `text`, and in `outcome` whether some danger is asserted in it."""
    labelled: list[dict[str, str]] = json.loads((FOLDER / "free-text-corpus.json").read_text())
    return labelled
