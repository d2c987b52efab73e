"""A protocol ready for use: the form, compiled rules, evidence, imaging, phrases and targets of one version."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.clinical.evidence import Evidence
from shared.clinical.fields import Answer, Field, FormDefinition
from shared.clinical.imaging import ImagingRules
from shared.clinical.logic.truth import Condition, Lookup, Truth
from shared.clinical.referral.targets import Targets
from shared.clinical.rules import Floor, Route, Rule
from shared.clinical.text_check.check import TextCheck
from shared.clinical.text_check.phrases import Phrases


@dataclass(frozen=True, slots=True)
class Fact:
    """A named condition, with what it means in plain words."""

    name: str
    means: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Source:
    """What a rule rests on."""

    title: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A field that may be asked next, and the answers that are tried, in order."""

    field: Field
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class AskNext:
    """The questions that may be asked next, in order, and how many are returned."""

    at_most: int
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Protocol:
    """One version of one protocol. `conditions` holds every fact and rule by its name; `owners` orders the rules."""

    name: str
    version: str
    digest: str
    title: str
    purpose: str
    source: str
    form: FormDefinition
    facts: Mapping[str, Fact]
    rules: Mapping[str, Rule]
    owners: tuple[str, ...]
    routes: tuple[Route, ...]
    floors: tuple[Floor, ...]
    patterns: Mapping[str, str]
    evidence: Evidence
    imaging: ImagingRules
    phrases: Phrases | TextCheck
    targets: Targets
    ask_next: AskNext
    sources: Mapping[str, Source]
    conditions: Mapping[str, Condition]

    @cached_property
    def by_owner(self) -> tuple[Rule, ...]:
        """Return the rules in the order in which they own a referral (part 3.7)."""
        return tuple(self.rules[rule] for rule in self.owners)

    @cached_property
    def quick_rules(self) -> tuple[tuple[Rule, str, Any, tuple[tuple[str, Any, Truth], ...]], ...]:
        """Return the rules as `by_owner`, with name, truth, and the lookups of which one that is false rules it out."""
        return tuple(
            (rule, rule.id, rule.condition.truth, tuple(_quick(each) for each in rule.condition.needed))
            for rule in self.by_owner
        )

    @cached_property
    def early(self) -> tuple[Rule, ...]:
        """Return all rules but the late ones; of these, one that is not known makes a form incomplete."""
        return tuple(rule for rule in self.rules.values() if not rule.late)

    def fields_named(self, condition: Condition) -> frozenset[str]:
        """Return the fields that a condition names, through facts at any depth."""
        found = self._fields_named.get(condition.mentions)
        if found is None:
            found = self._fields_named[condition.mentions] = frozenset(self._named_by(condition))
        return found

    @cached_property
    def _fields_named(self) -> dict[frozenset[str], frozenset[str]]:
        return {}  # one entry for each condition of the protocol

    def _named_by(self, condition: Condition) -> Iterator[str]:
        for name in condition.mentions:
            if name in self.conditions:
                yield from self.fields_named(self.conditions[name])
            else:
                yield name

    @property
    def identity(self) -> dict[str, str]:
        """Return what a decision says about the protocol behind it."""
        return {"name": self.name, "version": self.version, "digest": self.digest}


def _quick(lookup: Lookup) -> tuple[str, Any, Truth]:
    return lookup.field, lookup.table.get, lookup.otherwise
