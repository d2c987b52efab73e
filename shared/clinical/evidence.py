"""Points for nerve, muscle and joint, and which of them leads (triage specification, parts 3.5 and 3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.clinical.logic.truth import Condition, Evaluation

TABLES = ("nerve", "hoover", "strain", "disuse", "joint")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: it gives its points when its condition is certain."""

    points: int
    condition: Condition
    why: str
    citation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All tables. `threshold` points make a pattern, and it has to lead by `lead` points."""

    threshold: int
    lead: int
    tables: Mapping[str, tuple[Line, ...]]

    def weigh(self, form: Evaluation) -> "Balance":
        """Count the points of every table, once for each form."""
        if not form.points:
            for name, lines in self.tables.items():
                form.points[name] = sum(line.points for line in lines if line.condition.truth(form) is True)
        return Balance(self.threshold, self.lead, **form.points)


@dataclass(frozen=True, slots=True)
class Balance:
    """The points of one form. The Hoover sign counts for the route, never for a red flag."""

    threshold: int
    lead: int
    nerve: int
    hoover: int
    strain: int
    disuse: int
    joint: int

    @property
    def whole_nerve(self) -> int:
        """Return the nerve points with those of the Hoover sign."""
        return self.nerve + self.hoover

    @property
    def muscle(self) -> int:
        """Return the larger of strain and disuse; they do not add up."""
        return max(self.strain, self.disuse)

    @property
    def nerve_leads(self) -> bool:
        """Tell whether nerve reaches the threshold and leads muscle and joint."""
        return self.whole_nerve >= max(self.threshold, self.muscle + self.lead, self.joint + self.lead)

    @property
    def muscle_leads(self) -> bool:
        """Tell whether muscle reaches the threshold, leads nerve, and is larger than joint."""
        return self.muscle >= max(self.threshold, self.whole_nerve + self.lead) and self.muscle > self.joint

    @property
    def joint_leads(self) -> bool:
        """Tell whether joint reaches the threshold, leads nerve, and is at least equal to muscle."""
        return self.joint >= max(self.threshold, self.whole_nerve + self.lead, self.muscle)

    @property
    def nothing_reaches_threshold(self) -> bool:
        """Tell whether no table discriminates."""
        return max(self.whole_nerve, self.muscle, self.joint) < self.threshold

    def record(self) -> dict[str, int]:
        """Return the three numbers of a decision."""
        return {"nerve": self.whole_nerve, "muscle": self.muscle, "joint": self.joint}
