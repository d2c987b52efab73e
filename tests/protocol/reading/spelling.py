"""Misspelt words of the free text (triage specification, part 4 step 9.1.1)."""

import re
from functools import cache

from .word_lists import CONCEPTS, GROUPS, LISTS, fits_any, texts_in

FINDINGS = [entry for entries in CONCEPTS.values() for entry in entries] + [
    entry for group in GROUPS.values() for entry in (*group["nouns"], *group["acts"])
]
KNOWN_WORDS = sorted({word for text in texts_in(LISTS) for word in text.split()})
LONG_ENTRIES = {word for entry in FINDINGS for word in entry.split() if re.fullmatch(r"[a-z]{5,}\*?", word)}


def stem(entry: str) -> str:
    return entry.removesuffix("*")


VOCABULARY = sorted(LONG_ENTRIES, key=lambda entry: (-len(stem(entry)), entry))
STEMS = tuple({stem(entry) for entry in VOCABULARY})


@cache
def mended(word: str) -> str:
    """The stem that the word misspells, or the word as it is."""
    if not re.fullmatch(r"[a-z]{5,}", word) or fits_any(word, KNOWN_WORDS) or word.startswith(STEMS):
        return word
    close = (stem(entry) for entry in VOCABULARY if entry[0] == word[0] and misspells(word, entry))
    return next(close, word)


def misspells(word: str, entry: str) -> bool:
    aim = stem(entry)
    allowed = 2 if len(aim) >= 9 else 1
    if entry.endswith("*"):
        beginnings = {word[: len(aim) + more] for more in (-1, 0, 1)}
        return any(distance(beginning, aim) <= allowed for beginning in beginnings)
    return abs(len(word) - len(aim)) <= allowed and distance(word, aim) <= allowed


def distance(one: str, other: str) -> int:
    """Optimal string alignment, cell by cell of the whole table."""
    cost = {(row, 0): row for row in range(len(one) + 1)} | {(0, column): column for column in range(len(other) + 1)}
    for row, left in enumerate(one, 1):
        for column, right in enumerate(other, 1):
            best = min(
                cost[row - 1, column] + 1,
                cost[row, column - 1] + 1,
                cost[row - 1, column - 1] + (left != right),
            )
            exchanged = one[row - 2 : row] == right + other[column - 2 : column - 1]
            if row > 1 and column > 1 and exchanged:
                best = min(best, cost[row - 2, column - 2] + 1)
            cost[row, column] = best
    return cost[len(one), len(other)]
