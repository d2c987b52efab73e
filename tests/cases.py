"""The worked cases of the protocol as bodies for the API, each for a patient of its own."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import shared.protocols

VERSIONS = Path(shared.protocols.__file__).parent / "failed-slr"
NEWEST = "2026.2.0"
YEAR = 2026  # a form dated in this year finds every patient as old as the case says: born on 1 January


@dataclass(frozen=True)
class Case:
    """One worked case: its form, and what has to come out of it."""

    name: str
    age_years: int
    form: dict[str, Any]
    expected: dict[str, Any]

    def body(self, mrn: str = "MRN-1", **symptoms: Any) -> dict[str, Any]:
        """Return the form of the patient `mrn`, with other `symptoms` where given."""
        return self.form | {
            "patient": self.form["patient"] | {"mrn": mrn, "birth_date": f"{YEAR - self.age_years}-01-01"},
            "symptoms": self.form["symptoms"] | symptoms,
        }


@cache
def cases(version: str = NEWEST) -> list[Case]:
    """Return the cases of a version of the protocol; their forms give the answers that its form had."""
    stored = json.loads((VERSIONS / version / "cases.json").read_text())
    return [Case(case["id"], case["age_years"], case["form"], case["expect"]) for case in stored]


def case_for(queue: str, priority: str | None = None, version: str = NEWEST) -> Case:
    """Return the first case of `version` that belongs in `queue`, with `priority` where given."""
    return next(
        case
        for case in cases(version)
        if case.expected["queue"] == queue and priority in (None, case.expected["priority"])
    )


def born(body: dict[str, Any], day: str = "1980-05-17") -> dict[str, Any]:
    """Return the form `body` for a patient who was born on `day`: cases differ in age, versions of a form may not."""
    return body | {"patient": body["patient"] | {"birth_date": day}}
