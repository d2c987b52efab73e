"""Urine left behind, given as a number (triage specification, part 4, step 9.2 c)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.clinical.text_check.findings import Sentence
from shared.clinical.text_check.outcomes import Judge, Outcome
from shared.clinical.text_check.word_lists import PhraseBook, WordList

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_DIGITS = 64  # of a number that are read; a double has seventeen


@dataclass(frozen=True)
class Volumes:
    """The lists and limits of `numbers`. A phrase of `book` is True where a number counts without a unit as well."""

    group: str
    at_least_ml: float
    at_most_ml: float
    window: int
    book: PhraseBook[bool]
    millilitres: WordList
    litres: WordList
    not_a_volume: WordList

    def outcomes(self, sentence: Sentence, judge: Judge, year: int) -> Iterator[Outcome]:
        """Yield the outcome of each volume of a sentence."""
        for lo in range(len(sentence.words)):
            for length, without_unit in self.book.starting_at(sentence.words, lo):
                for at, volume in self._volumes(lo + length, sentence.words, without_unit):
                    if self.at_least_ml <= volume <= self.at_most_ml:
                        yield "mentioned" if judge.is_mentioned(lo, at, sentence, year) else "asserted"
                    elif volume < self.at_least_ml:
                        yield "denied"

    def _volumes(self, start: int, words: Sequence[str], without_unit: bool) -> Iterator[tuple[int, float]]:
        is_first = True
        for at in range(start, min(len(words), start + self.window + 1)):
            if not _NUMBER.fullmatch(words[at]):
                continue
            number, following = _value(words[at]), words[at + 1] if at + 1 < len(words) else ""
            if self.millilitres.fits(following):
                yield at, number
            elif self.litres.fits(following):
                yield at, number * 1000
            elif is_first and without_unit and not self._is_no_volume(at, words):
                yield at, number
            is_first = False

    def _is_no_volume(self, at: int, words: Sequence[str]) -> bool:
        following = words[at + 1 : at + 3]
        if not following:
            return False
        listed = following[0] == "," and len(following) > 1 and _NUMBER.fullmatch(following[1]) is not None
        return listed or self.not_a_volume.fits(following[0])


def _value(word: str) -> float:
    whole = word.partition(".")[0].lstrip("0")
    return float("inf") if len(whole) > _DIGITS else float(word.lstrip("0")[:_DIGITS] or "0")
