"""Points for nerve, muscle and joint, and which of them leads (triage specification, parts 3.5 and 3.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.clinical.logic.truth import Condition, Evaluation, Truth

TABLES = ("nerve", "hoover", "strain", "disuse", "joint")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: it gives its points when its condition is certain."""

    points: int
    condition: Condition
    why: str
    citation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A line that gave its points, with its table."""

    table: str
    line: Line

    @property
    def points(self) -> int:
        """Return its points."""
        return self.line.points

    def record(self) -> dict[str, Any]:
        """Return the line as it stands in a decision."""
        return {"table": self.table, "points": self.line.points, "text": self.line.why}


@dataclass(frozen=True)
class Evidence:
    """All tables. `threshold` points make a pattern, and it has to lead by `lead` points."""

    threshold: int
    lead: int
    tables: Mapping[str, tuple[Line, ...]]

    def weigh(self, form: Evaluation) -> "Balance":
        """Count the points of every table, once for each form."""
        balance: Balance | None = form.memo.get("balance")
        return balance or self._count(form)

    @cached_property
    def _prepared(self) -> Mapping[str, Sequence[tuple["Counted", Any, str, Any, Truth]]]:
        """Return the lines of each table with the lookup that settles one, if one answer does: it spares a call."""
        return {
            name: [(Counted(name, line), line.condition.truth, *_lookup(line.condition)) for line in lines]
            for name, lines in self.tables.items()
        }

    def _count(self, form: Evaluation) -> "Balance":
        points: dict[str, int] = {}
        counted: list[Counted] = []
        answers = form.answers
        for name, lines in self._prepared.items():
            total = 0
            for line, truth, asked, look_up, otherwise in lines:
                known = truth(form) if look_up is None else look_up(answers.get(asked), otherwise)
                if known is True:
                    total += line.points
                    counted.append(line)
            points[name] = total
        balance: Balance = Balance(self.threshold, self.lead, **points)
        form.memo["balance"], form.memo["counted"] = balance, counted
        return balance

    def counted(self, form: Evaluation) -> Sequence["Counted"]:
        """Return the lines that give their points to this form."""
        self.weigh(form)
        lines: Sequence[Counted] = form.memo["counted"]
        return lines


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


def _lookup(condition: Condition) -> tuple[str, Any, Truth]:
    lookup = condition.lookup
    return (lookup.field, lookup.table.get, lookup.otherwise) if lookup else ("", None, None)
