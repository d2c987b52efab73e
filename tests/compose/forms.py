"""The example cases of the specification as bodies for the API, each for a patient of its own."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = json.loads((Path(__file__).parents[1] / "protocol" / "example-cases.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Case:
    """One worked case: its form, and what has to come out of it."""

    name: str
    age_years: int
    form: dict[str, Any]
    expected: dict[str, Any]

    def body(self, mrn: str) -> dict[str, Any]:
        """Return the form for the patient `mrn`; born on 1 January, so of the case's age on every day."""
        birth_date = f"{time.gmtime().tm_year - self.age_years}-01-01"
        return self.form | {"patient": self.form["patient"] | {"mrn": mrn, "birth_date": birth_date}}


def cases() -> list[Case]:
    return [Case(case["id"], case["age_years"], case["form"], case["expect"]) for case in CASES]


def case_for(queue: str) -> Case:
    """Return the first case that belongs in `queue`."""
    return next(case for case in cases() if case.expected["queue"] == queue)
