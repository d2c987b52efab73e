"""What a raw form says once it is cleaned (triage specification, part 2.0 and part 4 steps 1 and 2)."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from .truth import Truth
from .vocabulary import FIELDS, FORMER_TRI, OLD_ANSWERS, SECTIONS, SIDES, Field

UNANSWERED = "unanswered"
NOT_TESTED = "not tested"


class Answers:
    """The cleaned form: every field holds a legal value, UNANSWERED or NOT_TESTED."""

    def __init__(self, form: Any, today: date) -> None:
        sections = {name: section_of(form, name) for name in SECTIONS}
        self.values = {field.name: clean(field, sections[field.section].get(field.name)) for field in FIELDS}
        age = age_in_years(sections["patient"].get("birth_date"), today)
        self.values["age_years"] = UNANSWERED if age is None else age
        self.this_year = today.year
        text = sections["encounter"].get("free_text")
        self.free_text = text if isinstance(text, str) else ""

    def unanswered(self, name: str) -> bool:
        return self.values[name] is UNANSWERED

    def open(self, name: str) -> Truth:
        """What a comparison with a field without a value is worth."""
        return None if self.values[name] is UNANSWERED else False

    def has_number(self, name: str) -> bool:
        return not isinstance(self.values[name], str)

    def says(self, name: str, *wanted: str) -> Truth:
        value = self.values[name]
        return None if value is UNANSWERED else value in wanted

    def present(self, *names: str) -> Truth:
        """True if any of these is present: an OR of `= present`."""
        seen = [self.says(name, "present") for name in names]
        return True if True in seen else None if None in seen else False

    def at_least(self, name: str, limit: float) -> Truth:
        return self.values[name] >= limit if self.has_number(name) else self.open(name)

    def at_most(self, name: str, limit: float) -> Truth:
        return self.values[name] <= limit if self.has_number(name) else self.open(name)

    def over(self, name: str, limit: float) -> Truth:
        return self.values[name] > limit if self.has_number(name) else self.open(name)

    def under(self, name: str, limit: float) -> Truth:
        return self.values[name] < limit if self.has_number(name) else self.open(name)

    def affected_sides(self) -> tuple[str, ...]:
        side = self.values["side"]
        return (side,) if side in SIDES else SIDES

    def seen_on_affected_side(self, name: str, *wanted: str) -> bool:
        return any(self.says(f"{name}_{side}", *wanted) for side in self.affected_sides())

    def weak_on_affected_side(self, name: str, limit: int) -> bool:
        return any(self.at_most(f"{name}_{side}", limit) for side in self.affected_sides())


def section_of(form: Any, name: str) -> Mapping[str, Any]:
    section = form.get(name) if isinstance(form, Mapping) else None
    return section if isinstance(section, Mapping) else {}


def clean(field: Field, value: Any) -> Any:
    if field.name in FORMER_TRI and isinstance(value, str):
        value = OLD_ANSWERS.get(value, value)
    if is_legal(field, value):
        return value
    if not field.is_finding:
        return UNANSWERED
    return UNANSWERED if field.tri and value == "unknown" else NOT_TESTED


def is_legal(field: Field, value: Any) -> bool:
    if field.span is None:
        return isinstance(value, str) and value in field.answers
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and field.span[0] <= value <= field.span[1]


def age_in_years(birth_date: Any, today: date) -> int | None:
    """Completed years; a birthday on 29 February falls on 1 March in other years."""
    if not isinstance(birth_date, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", birth_date):
        return None
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    age = today.year - born.year - (0 if had_birthday else 1)
    return age if 0 <= age <= 120 else None
