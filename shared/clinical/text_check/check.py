"""The free-text check: what a text says of each group of dangers (triage specification, part 4, step 9)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from shared.clinical.fields import Answer
from shared.clinical.text_check.findings import Finder, Marker, Sentence
from shared.clinical.text_check.outcomes import Judge, Outcome
from shared.clinical.text_check.sentences import Sentences
from shared.clinical.text_check.volumes import Volumes

_STRENGTH: dict[Outcome, int] = {"asserted": 2, "mentioned": 1, "denied": 0}


@dataclass(frozen=True, slots=True)
class TextFindings:
    """The groups that a text asserts, and those that it only mentions, in the protocol's order."""

    asserted: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextCheck:
    """All lists of a protocol, prepared. `boxes` names the fields beside a group."""

    boxes: Mapping[str, tuple[str, ...]]
    silenced_by: frozenset[Answer]
    sentences: Sentences
    marker: Marker
    finder: Finder
    judge: Judge
    volumes: Volumes

    def silenced(self, group: str, answers: Mapping[str, Answer]) -> bool:
        """Tell whether an answer beside the group says already what the text says."""
        return any(answers.get(box) in self.silenced_by for box in self.boxes[group])

    def findings(self, text: str, today: date) -> TextFindings:
        """Return what a text asserts and what it mentions; the time is proportional to its length."""
        outcomes = self.outcomes(text, today)
        return TextFindings(
            tuple(group for group in self.boxes if outcomes.get(group) == "asserted"),
            tuple(group for group in self.boxes if outcomes.get(group) == "mentioned"),
        )

    def outcomes(self, text: str, today: date) -> dict[str, Outcome]:
        """Return the outcome of each group of which the text says anything."""
        found: dict[str, Outcome] = {}
        for sentence in self._sentences(text):
            for finding in self.finder.findings(sentence):
                if found.get(finding.group) != "asserted":
                    _keep(found, finding.group, self.judge.outcome(finding, sentence, today.year))
            for outcome in self.volumes.outcomes(sentence, self.judge, today.year):
                _keep(found, self.volumes.group, outcome)
        return found

    def _sentences(self, text: str) -> Iterator[Sentence]:
        marks: dict[str, int] = {}
        for words in self.sentences.of(text):
            for word in words:
                if word not in marks:
                    marks[word] = int(self.marker.marks(word))
            yield Sentence(words, [marks[word] for word in words])


def _keep(found: dict[str, Outcome], group: str, outcome: Outcome) -> None:
    present = found.get(group)
    if present is None or _STRENGTH[outcome] > _STRENGTH[present]:
        found[group] = outcome
