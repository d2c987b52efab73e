"""The decision trace: every rule of the protocol in the order of evaluation, and what became of it for one form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.clinical.protocol import Protocol
from shared.clinical.referral.lifecycle import PRIORITIES
from shared.clinical.rules import Statement
from shared.protocols import version as protocol_version

MATCHED, NOT_MATCHED = "matched", "not matched"
NOT_EVALUATED = "could not be evaluated: answer missing"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that counted, in the form's own words."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule, its words, and what became of it."""

    id: str
    headline: str
    why: str
    kind: str  # rule, route or floor
    priority: str
    result: str
    answers: tuple[Answer, ...]
    missing: tuple[str, ...]
    citation: str

    @property
    def is_near_miss(self) -> bool:
        """Whether one answer alone is missing."""
        return len(self.missing) == 1


@dataclass(frozen=True, slots=True)
class Trace:
    """All lines in the order of evaluation; `protocol` names the version and digest that decided."""

    lines: tuple[RuleLine, ...]
    protocol: Mapping[str, str]
    red_flags_asked: bool  # whether no red-flag rule lacks an answer

    def of(self, result: str) -> list[RuleLine]:
        """Return the lines with one result."""
        return [line for line in self.lines if line.result == result]

    @property
    def matched(self) -> list[RuleLine]:
        return self.of(MATCHED)

    @property
    def not_evaluated(self) -> list[RuleLine]:
        return self.of(NOT_EVALUATED)


def trace_of(record: Mapping[str, Any]) -> Trace | None:
    """Return the trace of a decision, by the protocol that made it; None where this version is not installed."""
    protocol = protocol_version(record["protocol"]["version"])
    if protocol is None:
        return None
    reasons = {reason["rule"]: reason for reason in record["reasons"]}
    missing = {each["rule"]: tuple(each["missing"]) for each in record["undetermined"]}
    labels = labels_of(protocol)
    kinds: tuple[tuple[str, tuple[Statement, ...]], ...] = (
        ("rule", tuple(protocol.rules.values())),
        ("route", tuple(protocol.routes)),
        ("floor", tuple(protocol.floors)),
    )
    lines = [_line(each, kind, reasons, missing, labels) for kind, all_ in kinds for each in all_]
    shown = tuple(line for line in lines if line.kind == "rule" or line.result != NOT_MATCHED)
    return Trace(shown, record["protocol"], red_flags_asked=not missing and not record["incomplete"])


def labels_of(protocol: Protocol) -> dict[str, Any]:
    """Return the fields of a protocol's form by their path, such as `symptoms.onset`."""
    return {field.path: field for field in protocol.form.comparable.values()}


def _line(
    statement: Statement,
    kind: str,
    reasons: Mapping[str, Mapping[str, Any]],
    missing: Mapping[str, tuple[str, ...]],
    labels: Mapping[str, Any],
) -> RuleLine:
    reason = reasons.get(statement.id)
    result = MATCHED if reason else NOT_EVALUATED if statement.id in missing else NOT_MATCHED
    because = reason["because"] if reason else {}
    return RuleLine(
        id=statement.id,
        headline=statement.headline,
        why=reason["text"] if reason else statement.why,
        kind=kind,
        priority=statement.priority if statement.priority in PRIORITIES else "",
        result=result,
        answers=tuple(Answer(_question(path, labels), _answer(path, value, labels)) for path, value in because.items()),
        missing=tuple(_question(path, labels) for path in missing.get(statement.id, ())),
        citation="; ".join(statement.citation),
    )


def _question(path: str, labels: Mapping[str, Any]) -> str:
    return str(labels[path].label) if path in labels else path.rpartition(".")[2].replace("_", " ")


def _answer(path: str, value: Any, labels: Mapping[str, Any]) -> str:
    field = labels.get(path)
    values = getattr(field, "values", None) or {}
    word = values.get(value) if isinstance(values, Mapping) else None
    if isinstance(value, bool):  # 1 is a number of days, though it equals True
        word = word or ("yes" if value else "no")
    return str(word or value).replace("_", " ")
