"""Tables and colours in a terminal; plain text of the same words where the output is no terminal."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

UNLIMITED = 400  # columns where nothing is shown to a person: programs that read tables want whole words
PRIORITY_STYLES = {"emergency": "bold red", "urgent": "red", "prompt": "yellow", "routine": ""}
OVERDUE = "bold red"


def console() -> Console:
    """Return a console on standard output. What people wrote is shown as it is, never read as markup."""
    return Console(
        markup=False, emoji=False, highlight=False, width=None if sys.stdout.isatty() else UNLIMITED, soft_wrap=False
    )


def table(*columns: str, wide: Sequence[str] = ()) -> Table:
    """Return an empty table without lines; columns in `wide` may take several lines, others are never cut."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, no_wrap=column not in wide, overflow="fold")
    return made


def priority_text(priority: str) -> Text:
    """Return a priority in its colour."""
    return Text(priority, PRIORITY_STYLES.get(priority, ""))


def due_text(words: str) -> Text:
    """Return the words of a clock, in red where it has passed."""
    return Text(words, OVERDUE if words.startswith("overdue") else "")
