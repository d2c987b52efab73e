"""Time targets of each priority and the escalation ladder, as data with a date of effect (part 6.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


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


@dataclass(frozen=True, slots=True)
class Targets:
    """All targets; `classes` by priority. `imaging_within_minutes` runs from the recommendation; None has no limit."""

    effective_from: date
    clock: Mapping[str, str]
    classes: Mapping[str, Target]
    imaging_within_minutes: Mapping[str, int | None]
