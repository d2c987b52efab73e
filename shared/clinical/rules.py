"""Rules, routes and floors as a protocol states them, and the reasons they give when they apply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.clinical.logic.truth import Condition, Evaluation, Fields
from shared.clinical.referral.lifecycle import Priority, Queue

Origin = Literal["seed", "extension"]
ImagingStatus = Literal["recommended", "not_indicated", "hold_for_review"]


@dataclass(frozen=True, slots=True)
class ImagingLine:
    """A wish for one study within a time; it applies when `when` is certain or absent."""

    study: str
    within: str
    when: Condition | None = None

    def applies(self, form: Evaluation) -> bool:
        """Tell whether the wish is to be made for this form."""
        return self.when is None or self.when.truth(form) is True


@dataclass(frozen=True, slots=True)
class Statement:
    """What rules, routes and floors have in common; `citation` are the titles of the sources."""

    id: str
    origin: Origin
    priority: Priority
    condition: Condition
    headline: str
    why: str
    citation: tuple[str, ...]

    def reason(self, form: Evaluation, flag: str | None = None) -> "Reason":
        """Return why this applies to the form, with the answers that counted."""
        citation = "; ".join(self.citation)
        because = form.because_of(self.condition)
        return Reason(self.id, flag, self.origin, self.priority, self.why, because, citation)


@dataclass(frozen=True, slots=True)
class Result(Statement):
    """A statement that sends the patient somewhere, with imaging."""

    suspected: str
    send_to: str | None
    imaging: tuple[ImagingLine, ...]
    if_no_imaging: ImagingStatus
    codes: Mapping[str, tuple[str, ...]] = field(kw_only=True, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule(Result):
    """A red-flag rule. `late` ones are decided after all others (part 3.3)."""

    flag: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Route(Result):
    """Where a form without a red flag goes (part 3.6)."""

    queue: Queue
    pattern: str


@dataclass(frozen=True, slots=True)
class Floor(Statement):
    """What turns a routine result into a prompt one (part 3.6)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule, route or floor that applies, and the answers that made it so."""

    rule: str
    flag: str | None
    origin: Origin
    priority: Priority
    text: str
    because: Fields
    citation: str

    def record(self) -> dict[str, Any]:
        """Return the reason as it stands in a decision."""
        return {
            "rule": self.rule,
            "flag": self.flag,
            "origin": self.origin,
            "priority": self.priority,
            "text": self.text,
            "because": dict(self.because),
            "citation": self.citation,
        }
