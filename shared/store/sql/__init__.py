"""Reads the long SQL statements, which stand in files of their own in this folder."""

from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent


def load(name: str, **fragments: str) -> str:
    """Return the statement in `name`.sql without its comments, with each `$fragment` filled in.

    Fragments are constants of this program. Values are bound (`:name`), never filled in.
    """
    lines = (FOLDER / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    statement = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    return Template(statement).substitute(fragments)
