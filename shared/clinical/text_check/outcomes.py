"""Whether a finding is asserted, denied, or only mentioned (triage specification, part 4, step 9.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.clinical.text_check.findings import Finding, Mark, Sentence
from shared.clinical.text_check.word_lists import PhraseBook, WordList

Outcome = Literal["asserted", "mentioned", "denied"]

_FIRST_YEAR = 1900


@dataclass(frozen=True)
class Judge:
    """The tests for denied and mentioned; `windows` are numbers of words, by their names in part 9.3."""

    windows: Mapping[str, int]
    hypothetical: PhraseBook[None]
    past: PhraseBook[None]
    units: WordList

    def outcome(self, finding: Finding, sentence: Sentence, year: int) -> Outcome:
        """Return the outcome of one finding; `year` is that of the day of the form."""
        if self._is_denied(finding, sentence):
            return "denied"
        return "mentioned" if self.is_mentioned(finding.lo, finding.hi, sentence, year) else "asserted"

    def is_mentioned(self, lo: int, hi: int, sentence: Sentence, year: int) -> bool:
        """Tell whether the words from `lo` to `hi` are advice, about another person, or past."""
        return (
            self._is_hypothetical(lo, hi, sentence)
            or self._is_of_another(lo, sentence)
            or self._is_past(lo, hi, sentence, year)
        )

    def _is_denied(self, finding: Finding, sentence: Sentence) -> bool:
        piece = self._piece(finding.anchor, sentence)
        return (
            self._denied_directly(finding, sentence, piece)
            or self._denied_by_list(finding, sentence, piece)
            or self._denied_before_the_place(finding, sentence)
            or self._denied_inside(finding, sentence)
            or self._denied_after(finding, sentence)
        )

    def _piece(self, anchor: int, sentence: Sentence) -> int:
        first = max(0, anchor - self.windows["list"])
        for at in range(anchor - 1, first - 1, -1):
            if sentence.marks[at] & Mark.PIECE:
                return at + 1
        return first

    def _denied_directly(self, finding: Finding, sentence: Sentence, piece: int) -> bool:
        reach = self.windows["act" if finding.is_act else "direct"]
        blocker = Mark.ACT_BLOCKER if finding.is_act else Mark.NOUN_BLOCKER
        for at in range(finding.anchor - 1, max(piece, finding.anchor - reach) - 1, -1):
            mark = sentence.marks[at]
            if not mark or finding.owns(at):
                continue
            if mark & blocker:
                return False
            if mark & Mark.NEGATOR and at not in sentence.bound:
                return True
        return False

    def _denied_by_list(self, finding: Finding, sentence: Sentence, piece: int) -> bool:
        if finding.is_act:
            return False
        marks, anchor = sentence.marks, finding.anchor
        negated = any(
            marks[at] & Mark.LIST_NEGATOR and _is_free(at, finding, sentence)
            for at in range(max(0, anchor - self.windows["list"]), piece)
        )
        if not negated:
            return False
        if any(marks[at] & Mark.STATE and not finding.owns(at) for at in range(piece, anchor)):
            return False
        behind = marks[finding.hi + 1 : finding.hi + 1 + self.windows["time"]]
        return not any(mark & Mark.TIME for mark in behind)

    def _denied_before_the_place(self, finding: Finding, sentence: Sentence) -> bool:
        if finding.place is None:
            return False
        first = max(finding.anchor + 1, finding.place - self.windows["place"])
        return any(
            sentence.marks[at] & Mark.NEGATOR and _is_free(at, finding, sentence) for at in range(first, finding.place)
        )

    def _denied_inside(self, finding: Finding, sentence: Sentence) -> bool:
        between = range(finding.lo + 1, finding.hi)
        return any(sentence.marks[at] & Mark.INSIDE and not finding.owns(at) for at in between)

    def _denied_after(self, finding: Finding, sentence: Sentence) -> bool:
        words, marks, hi, after = sentence.words, sentence.marks, finding.hi, self.windows["after"]
        if self._ends_with_denial(hi + 1, sentence):
            return True
        for at in range(hi + 1, min(len(words), hi + 1 + after)):
            if marks[at] & Mark.PIECE:
                break
            if words[at] == ":":
                if self._ends_with_denial(at + 1, sentence):
                    return True
                break
        first = hi + 2 if words[hi + 1 : hi + 2] == [":"] else hi + 1
        for at in range(first, min(len(words), first + after)):
            if marks[at] & Mark.PIECE:
                return False
            if marks[at] & Mark.AFTER_NEAR:
                return True
            if words[at] == "not" and at + 1 < len(words) and marks[at + 1] & Mark.AFTER_NOT:
                return True
        return False

    @staticmethod
    def _ends_with_denial(at: int, sentence: Sentence) -> bool:
        words = sentence.words
        if at >= len(words) or not sentence.marks[at] & Mark.AFTER_LAST:
            return False
        return at + 1 == len(words) or words[at + 1] == ","

    def _is_hypothetical(self, lo: int, hi: int, sentence: Sentence) -> bool:
        before = sentence.words[max(0, lo - self.windows["hypothetical_before"]) : lo]
        behind = sentence.words[hi + 1 : hi + 1 + self.windows["hypothetical_after"]]
        return _holds(self.hypothetical, before) or _holds(self.hypothetical, behind)

    def _is_of_another(self, lo: int, sentence: Sentence) -> bool:
        marks = sentence.marks
        return any(
            marks[at] & Mark.OTHER_PERSON and not (at > 0 and marks[at - 1] & Mark.OWN_PERSON)
            for at in range(max(0, lo - self.windows["person"]), lo)
        )

    def _is_past(self, lo: int, hi: int, sentence: Sentence, year: int) -> bool:
        first, last = max(0, lo - self.windows["past"]), min(len(sentence.words), hi + 1 + self.windows["past"])
        if any(mark & Mark.NOW for mark in sentence.marks[first:last]):
            return False
        window = sentence.words[first:last]
        return _holds(self.past, window) or any(self._is_year(at, sentence, year) for at in range(first, last))

    def _is_year(self, at: int, sentence: Sentence, year: int) -> bool:
        word, following = sentence.words[at], sentence.words[at + 1 : at + 2]
        if len(word) != 4 or not word.isdigit() or not _FIRST_YEAR <= int(word) < year:
            return False
        return not (following and self.units.fits(following[0]))


def _is_free(at: int, finding: Finding, sentence: Sentence) -> bool:
    return at not in sentence.bound and not finding.owns(at)


def _holds(book: PhraseBook[None], words: Sequence[str]) -> bool:
    return any(True for at in range(len(words)) for _ in book.starting_at(words, at))
