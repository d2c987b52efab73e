"""How much a free-text check finds of what labelled texts assert, and how many of the others it leaves alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from shared.clinical.text_check.check import TextFindings


class Check(Protocol):
    """What reads a text."""

    def findings(self, text: str, today: date) -> TextFindings:
        """Return what a text asserts and what it mentions."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Recall is `found` of `asserted`, specificity `left_alone` of `others`."""

    found: int
    asserted: int
    left_alone: int
    others: int


def measure(check: Check, texts: Iterable[Mapping[str, Any]], *, today: date) -> Measured:
    """Count over texts labelled with an `outcome`; a text is found if any group is asserted."""
    flagged = [(text["outcome"] == "asserted", bool(check.findings(text["text"], today).asserted)) for text in texts]
    asserted = [found for is_asserted, found in flagged if is_asserted]
    others = [found for is_asserted, found in flagged if not is_asserted]
    return Measured(sum(asserted), len(asserted), len(others) - sum(others), len(others))
