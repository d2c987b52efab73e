"""Time targets of each priority and the escalation ladder, as data with a date of effect (part 6.1)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder, done while nobody has acknowledged; minutes run from receipt."""

    after_minutes: int
    action: str


@dataclass(frozen=True, slots=True)
class Target:
    """What one priority promises. Acknowledgement is counted in minutes or in working days, never both."""

    fhir_priority: str
    ladder: tuple[Rung, ...]
    contact_minutes: int | None = None
    acknowledge_minutes: int | None = None
    acknowledge_working_days: int | None = None
    contact_minutes_for_flags: Mapping[str, int] = field(default_factory=dict)
    contact_minutes_for_floors: Mapping[str, int] = field(default_factory=dict)
    contact_minutes_for_patterns: Mapping[str, int] = field(default_factory=dict)
    ambulance_for_rules: tuple[str, ...] = ()
    imaging_and_specialist_days: int | None = None
    specialist_soon_days: int | None = None
    specialist_days: int | None = None
    ceiling_days: int | None = None

    def minutes_to_contact(self, flags: Collection[str], floors: Collection[str], pattern: str) -> int | None:
        """Return the minutes within which a clinician speaks to the patient or referrer: the shortest that applies."""
        if self.contact_minutes is None:
            return None
        minutes = self.contact_minutes
        for flag, shorter in self.contact_minutes_for_flags.items():
            if flag in flags:
                minutes = min(minutes, shorter)
        for floor, shorter in self.contact_minutes_for_floors.items():
            if floor in floors:
                minutes = min(minutes, shorter)
        return min(minutes, self.contact_minutes_for_patterns.get(pattern, minutes))


@dataclass(frozen=True)
class Targets:
    """All targets; `classes` by priority. `imaging_within_minutes` runs from the recommendation; None has no limit."""

    effective_from: date
    clock: Mapping[str, str]
    classes: Mapping[str, Target]
    imaging_within_minutes: Mapping[str, int | None]

    def calls_ambulance(self, rules: Collection[str]) -> bool:
        """Tell whether one of the fired rules calls an ambulance."""
        return not self._ambulance.isdisjoint(rules)

    @cached_property
    def _ambulance(self) -> frozenset[str]:
        return frozenset(rule for target in self.classes.values() for rule in target.ambulance_for_rules)

    def due_by(self, within: str, received_at: datetime) -> datetime | None:
        """Return when a study advised within a time is due, by the clock; None where it has no limit."""
        return after(received_at, self.imaging_within_minutes.get(within))


def after(received_at: datetime, minutes: int | None) -> datetime | None:
    """Return the moment so many minutes after receipt, nights, weekends and holidays included; None for none."""
    return None if minutes is None else received_at + timedelta(minutes=minutes)


def contact_by(decision: Mapping[str, Any] | None, received_at: datetime) -> datetime | None:
    """Return by when a clinician speaks to the patient; None for routine, failed triage, and decisions of 2026.1.0."""
    return after(received_at, decision.get("contact_minutes")) if decision else None


def raised(contact: datetime | None, priority: str, now: datetime, targets: Targets) -> datetime | None:
    """Return the time for contact after a person raised the priority at `now`: the earlier one; None is never."""
    return earlier(contact, after(now, targets.classes[priority].contact_minutes))


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier of two moments, of which None is never."""
    return min((moment for moment in (one, other) if moment is not None), default=None)


def imaging_due(
    decision: Mapping[str, Any] | None, received_at: datetime, targets: Targets
) -> dict[str, datetime | None]:
    """Return when each study of a decision is due, by study."""
    imaging = decision["imaging"] if decision else ()
    return {each["study"]: targets.due_by(each["within"], received_at) for each in imaging}


def kept_due(new: Mapping[str, datetime | None], old: Mapping[str, datetime | None]) -> dict[str, datetime | None]:
    """Return the times of the new studies, each the earlier of its own and what an earlier version gave it."""
    return {study: earlier(due, old.get(study)) for study, due in new.items()}
