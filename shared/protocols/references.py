"""What protocol files may refer to in one another: fields, facts, rules, sources, studies and times."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.clinical.logic.conditions import ConditionError, Vocabulary, compile_condition
from shared.clinical.logic.truth import Condition, always
from shared.clinical.rules import ImagingLine
from shared.protocols.faults import Faults


@dataclass(frozen=True, slots=True)
class References:
    """Everything that can be named. What names nothing becomes a fault at its path."""

    vocabulary: Vocabulary
    sources: Mapping[str, str]
    studies: Collection[str]
    times: Collection[str]
    faults: Faults

    def condition(self, path: str, text: str) -> Condition:
        """Return the compiled condition, or after noting its faults a placeholder."""
        try:
            return compile_condition(text, self.vocabulary)
        except ConditionError as error:
            for fault in error.faults:
                self.faults.add(path, fault)
            return always()

    def citation(self, path: str, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the titles of the sources."""
        return tuple(self.sources[key] for key in self.known(path, "source", keys, self.sources))

    def imaging(self, path: str, lines: Iterable[Mapping[str, Any]]) -> tuple[ImagingLine, ...]:
        """Return the wishes of a rule or route."""
        return tuple(self._line(f"{path}.{number}", line) for number, line in enumerate(lines))

    def known(self, path: str, what: str, names: Iterable[str], among: Collection[str]) -> list[str]:
        """Return the names that exist, and note the others."""
        names = list(names)
        for name in names:
            if name not in among:
                self.faults.add(path, f"no {what} is named {name}")
        return [name for name in names if name in among]

    def _line(self, path: str, line: Mapping[str, Any]) -> ImagingLine:
        self.known(f"{path}.study", "study", [line["study"]], self.studies)
        self.known(f"{path}.within", "time", [line["within"]], self.times)
        when = self.condition(f"{path}.when", line["when"]) if "when" in line else None
        return ImagingLine(line["study"], line["within"], when)
