"""Mends words that are spelt almost like one of the vocabulary (triage specification, part 4, step 9.1.1)."""

import re
from collections.abc import Iterable

from shared.clinical.text_check.word_lists import STAR, WordList

SHORTEST = 5  # letters of a word that is mended, and of one by which it is mended
LONG = 9  # from so many letters on two slips are forgiven, otherwise one

_ENTRY = re.compile(rf"[a-z]{{{SHORTEST},}}\*?")
_LETTERS = re.compile(rf"[a-z]{{{SHORTEST},}}")


class Speller:
    """A vocabulary, and words that are left alone."""

    def __init__(self, vocabulary: Iterable[str], left_alone: Iterable[str]) -> None:
        """Take the words of the lists by which words are mended, and all words of all lists."""
        entries = {word for word in vocabulary if _ENTRY.fullmatch(word)}
        stems = {entry.removesuffix(STAR) for entry in entries}
        self._left_alone = WordList([*left_alone, *(stem + STAR for stem in stems)])
        ordered = sorted(entries, key=lambda entry: (-len(entry.removesuffix(STAR)), entry))
        self._by_initial: dict[str, list[tuple[str, bool, int, frozenset[str]]]] = {}
        for entry in ordered:
            stem = entry.removesuffix(STAR)
            slips = 2 if len(stem) >= LONG else 1
            same_initial = self._by_initial.setdefault(stem[0], [])
            same_initial.append((stem, entry.endswith(STAR), slips, frozenset(stem)))

    def mend(self, word: str) -> str:
        """Return the stem of the vocabulary that a word means, or the word."""
        if not _LETTERS.fullmatch(word) or self._left_alone.fits(word):
            return word
        letters = frozenset(word)
        for stem, begins, slips, needed in self._by_initial.get(word[0], ()):
            # Each slip takes at most one letter of the stem away; this spares most comparisons.
            if len(needed - letters) <= slips and _is_meant(word, stem, begins, slips):
                return stem
        return word


def _is_meant(word: str, stem: str, begins: bool, slips: int) -> bool:
    if not begins:
        return abs(len(word) - len(stem)) <= slips and is_near(word, stem, slips)
    length = len(stem)
    compared = {word[:length], word[: length - 1], word[: length + 1]}
    return any(is_near(part, stem, slips) for part in compared)


def is_near(one: str, other: str, slips: int) -> bool:
    """Tell whether at most `slips` edits lead from one word to the other (optimal string alignment).

    Letters that are the same at the front never need an edit, so the search branches at the first difference only, and
    at most `slips` times.
    """
    if abs(len(one) - len(other)) > slips:
        return False
    at, shorter = 0, min(len(one), len(other))
    while at < shorter and one[at] == other[at]:
        at += 1
    one, other = one[at:], other[at:]
    if not one or not other:
        return len(one) + len(other) <= slips
    if slips == 0:
        return False
    left = slips - 1
    if one[:2] == other[1::-1] and len(one) > 1 and is_near(one[2:], other[2:], left):
        return True
    return is_near(one[1:], other[1:], left) or is_near(one[1:], other, left) or is_near(one, other[1:], left)
