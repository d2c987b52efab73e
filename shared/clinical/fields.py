"""The form as a protocol declares it: sections, fields, and the answers that count."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

Answer = str | int | float | bool
Kind = Literal["context", "question", "finding"]
Type = Literal["tri", "course", "choice", "number", "boolean", "text", "date", "moment"]
Keep = Literal["answer", "identity", "intake"]

NOT_ASKED = "not_asked"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Field:
    """One question or finding (triage specification, part 2).

    `values` maps each listed answer to its plain words; `tier` is R (on every form), R1 (a red-flag question)
    or None; `keep` says where a stored answer belongs: with the clinical answers, in the sealed identity, or in
    a column of the intake itself. `old_answers` maps answers of an earlier version to those as which they are read; the
    interface takes them up to and including `old_answers_until`. Lengths are in characters, `minimum` and `maximum`
    in `unit`.
    """

    name: str
    section: str
    kind: Kind
    type: Type
    label: str
    help: str
    tier: Literal["R", "R1"] | None = None
    required: bool = False
    keep: Keep = "answer"
    values: Mapping[str, str] = field(default_factory=dict)
    unanswered: frozenset[str] = frozenset()
    old_answers: Mapping[str, str] = field(default_factory=dict)
    old_answers_until: date | None = None
    asked_when: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    multiline: bool = False
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Return where the field stands in a form, such as `symptoms.onset`."""
        return f"{self.section}.{self.name}"

    @property
    def accepts(self) -> tuple[str, ...]:
        """Return every text a sender may give: the listed answers, `unknown`, and `not_asked` if it may be missing.

        Empty for numbers, booleans and free wording. An honest "unknown" is a valid answer to every question
        (part 2.0), also where the list of answers has no such entry.
        """
        if not self.values:
            return ()
        extra = (UNKNOWN,) if self.required else (UNKNOWN, NOT_ASKED)
        return tuple(dict.fromkeys((*self.values, *extra)))

    def is_answered(self, answer: Answer | None) -> bool:
        """Tell whether an answer says something; `unknown` and what counts as such do not."""
        return answer is not None and answer != UNKNOWN and answer not in self.unanswered

    def clean(self, value: object) -> Answer | None:
        """Return a legal answer, or None for whatever counts as missing (part 2.0)."""
        if self.type == "number":
            return self._number(value)
        if self.type == "boolean":
            return value if isinstance(value, bool) else None
        if not isinstance(value, str) or value == NOT_ASKED:
            return None
        if self.values:
            return value if value in self.values or value == UNKNOWN or value in self.old_answers else None
        return value if self.fits(value) else None

    def fits(self, wording: str) -> bool:
        """Tell whether a free wording keeps to the lengths and the pattern of the field."""
        shortest, longest = self.min_length or 0, self.max_length or len(wording)
        matches = self.pattern is None or re.fullmatch(self.pattern, wording) is not None
        return shortest <= len(wording) <= longest and matches

    def _number(self, value: object) -> int | float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if self.minimum is None or self.maximum is None:
            return value
        return value if self.minimum <= value <= self.maximum else None  # NaN is in no range


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the form; its `kind` decides what a missing answer means (part 2.0)."""

    name: str
    title: str
    kind: Kind
    source: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class FormDefinition:
    """All sections in order. `derived` holds what is never asked but worked out, such as `age_years`."""

    sections: tuple[Section, ...]
    derived: tuple[Field, ...] = ()

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """Return every field that is asked, by its name, which is unique across sections."""
        return {each.name: each for section in self.sections for each in section.fields}

    @cached_property
    def kept(self) -> tuple[tuple[Field, frozenset[str]], ...]:
        """Return the fields whose answers are stored with the clinical answers: no identity, no free text.

        Each with the texts that `clean` would return as they are.
        """
        kept = (each for each in self.fields.values() if each.keep == "answer")
        return tuple(
            (each, frozenset(text for text in (*each.accepts, *each.old_answers) if each.clean(text) == text))
            for each in kept
        )

    @cached_property
    def renewed(self) -> tuple[Field, ...]:
        """Return the fields that took other answers in an earlier version."""
        return tuple(each for each in self.fields.values() if each.old_answers)

    @cached_property
    def comparable(self) -> Mapping[str, Field]:
        """Return every field a condition may name: what is asked, and what is derived."""
        return {**self.fields, **{each.name: each for each in self.derived}}

    @cached_property
    def by_path(self) -> Mapping[str, Field]:
        """Return every field that a reason may name, by where it stands in a form."""
        return {each.path: each for each in self.comparable.values()}

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Return the question of every field that a reason may name, by where it stands in a form."""
        return {path: each.label for path, each in self.by_path.items()}

    @cached_property
    def first_tier(self) -> tuple[Field, ...]:
        """Return the red-flag questions (tier R1); one of them unanswered makes a form incomplete."""
        return tuple(each for each in self.fields.values() if each.tier == "R1")
