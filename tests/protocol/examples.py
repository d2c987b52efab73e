"""The example cases of the specification, ready to be decided."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bodies import PLACES, Answers, Body, born, changed

CASES = Path(__file__).with_name("example-cases.json")


@dataclass(frozen=True)
class Example:
    """One worked case: what is sent and what has to come out of it."""

    name: str
    body: Body
    expected: dict[str, Any]

    @property
    def answers(self) -> Answers:
        """The fields a rule may look at, by name."""
        given = {name: value for section in self.body.values() for name, value in section.items()}
        return {name: value for name, value in given.items() if name in PLACES}


def examples() -> list[Example]:
    """All of them; the age given becomes a birth date on 1 January."""
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    return [
        Example(case["id"], changed(case["form"], birth_date=born(case["age_years"])), case["expect"]) for case in cases
    ]
