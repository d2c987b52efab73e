"""A protocol ready for use: the form, compiled rules, evidence, imaging, phrases and targets of one version."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.clinical.evidence import Evidence
from shared.clinical.fields import FormDefinition
from shared.clinical.free_text import Phrases
from shared.clinical.imaging import ImagingRules
from shared.clinical.logic.truth import Condition
from shared.clinical.referral.targets import Targets
from shared.clinical.rules import Floor, Route, Rule


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
    phrases: Phrases
    targets: Targets
    sources: Mapping[str, Source]
    conditions: Mapping[str, Condition]

    @cached_property
    def by_owner(self) -> tuple[Rule, ...]:
        """Return the rules in the order in which they own a referral (part 3.7)."""
        return tuple(self.rules[rule] for rule in self.owners)

    @cached_property
    def early(self) -> tuple[Rule, ...]:
        """Return all rules but the late ones; of these, one that is not known makes a form incomplete."""
        return tuple(rule for rule in self.rules.values() if not rule.late)

    @property
    def identity(self) -> dict[str, str]:
        """Return what a decision says about the protocol behind it."""
        return {"name": self.name, "version": self.version, "digest": self.digest}
