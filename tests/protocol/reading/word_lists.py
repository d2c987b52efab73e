"""The word lists of the free-text check (triage specification, part 4 step 9.3), and how a word fits an entry."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LISTS: dict[str, Any] = json.loads((Path(__file__).parent / "free_text_lists.json").read_text())
CONCEPTS: dict[str, list[str]] = LISTS["concepts"]
GROUPS: dict[str, dict[str, Any]] = LISTS["groups"]
WINDOWS: dict[str, int] = LISTS["windows"]
NUMBERS: dict[str, Any] = LISTS["numbers"]

Words = list[str]
Span = tuple[int, int]


def fits(word: str, entry: str) -> bool:
    return word.startswith(entry[:-1]) if entry.endswith("*") else word == entry


def fits_any(word: str, entries: Sequence[str]) -> bool:
    return any(fits(word, entry) for entry in entries)


def any_in(words: Words, entries: Sequence[str]) -> bool:
    return any(fits_any(word, entries) for word in words)


@cache
def split(phrase: str) -> Words:
    return phrase.split()


def spans(words: Words, phrase: str) -> Iterator[Span]:
    """Where the words of the phrase follow one another, innocent or not."""
    first, *others = split(phrase)
    for start in places(words, first):
        following = words[start + 1 : start + 1 + len(others)]
        if len(following) == len(others) and all(map(fits, following, others)):
            yield start, start + len(others)


def places(words: Words, entry: str) -> Sequence[int]:
    """Where a word stands that fits the entry; most entries fit none."""
    if entry.endswith("*"):
        return [at for at, word in enumerate(words) if word.startswith(entry[:-1])]
    return [at for at, word in enumerate(words) if word == entry] if entry in words else ()


def stands_in(words: Words, phrases: Sequence[str]) -> bool:
    return any(True for phrase in phrases for _ in spans(words, phrase))


def texts_in(value: Any) -> Iterator[str]:
    """Every text value, at any depth; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)
