"""Raw forms put together from answers by field name."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from .reading.vocabulary import SECTION_OF, SECTIONS

Answers = dict[str, Any]
Body = dict[str, Any]

TODAY = date(2026, 11, 22)
ABSENT = object()
MIRROR = {"left": "right", "right": "left"}
PLACES = SECTION_OF | {"birth_date": "patient", "free_text": "encounter"}


def body_of(answers: Mapping[str, Any]) -> Body:
    """All sections, each answer in its own; ABSENT leaves a field out and `age_years` becomes a birth date."""
    body: Body = {section: {} for section in SECTIONS}
    for name, value in answers.items():
        if value is ABSENT:
            continue
        if name == "age_years":
            body["patient"]["birth_date"] = born(value)
        else:
            body[PLACES[name]][name] = value
    return body


def answers_of(body: Body) -> Answers:
    """The answers a rule may look at, by field name."""
    given = {name: value for section in body.values() for name, value in section.items()}
    return {name: value for name, value in given.items() if name in PLACES}


def born(age: int) -> str:
    """The birth date the example cases use for an age."""
    return f"{TODAY.year - age:04d}-01-01"


def mirrored(answers: Answers) -> Answers:
    """The same patient with left and right exchanged, in `side` and in every sided field."""
    other = {mirror_name(name): value for name, value in answers.items()}
    side = answers.get("side")
    return other | {"side": MIRROR[side]} if side in ("left", "right") else other


def mirror_name(name: str) -> str:
    stem, _, side = name.rpartition("_")
    return f"{stem}_{MIRROR[side]}" if side in MIRROR else name
