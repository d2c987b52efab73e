"""Where a sentence speaks of a danger (triage specification, part 4 step 9.2, matches of a group)."""

from collections.abc import Iterator
from dataclasses import dataclass

from .spelling import FINDINGS
from .word_lists import CONCEPTS, GROUPS, LISTS, NUMBERS, WINDOWS, Span, Words, any_in, fits, fits_any, spans


@dataclass(frozen=True)
class Match:
    """Words lo to hi of a sentence that name a danger; `own` are the numbers of the words that make it up.

    `place` is where the place of a pair begins, if it stands behind the trouble ("numbness of the saddle").
    """

    lo: int
    hi: int
    anchor: int
    own: frozenset[int]
    act: bool = False
    place: int | None = None


def span_words(span: Span) -> range:
    return range(span[0], span[1] + 1)


def occurrences(words: Words, phrases: list[str]) -> set[Span]:
    """Where a finding stands and is not innocent; only a single word can be innocent."""
    return {
        span for phrase in phrases for span in spans(words, phrase) if " " in phrase or not innocent(words, span[0])
    }


def innocent(words: Words, at: int) -> bool:
    for entry, where, others in LISTS["innocent"]:
        beside = at + 1 if where == "next" else at - 1
        if fits(words[at], entry) and 0 <= beside < len(words) and fits_any(words[beside], others):
            return True
    return False


def bound_words(words: Words) -> set[int]:
    """Words that belong to a finding of several words, of whatever list."""
    longer = [phrase for phrase in FINDINGS if " " in phrase]
    return {number for phrase in longer for span in spans(words, phrase) for number in span_words(span)}


def matches(words: Words, group: str) -> Iterator[Match]:
    for kind in ("nouns", "acts"):
        for lo, hi in occurrences(words, GROUPS[group][kind]):
            yield Match(lo, hi, lo, frozenset(span_words((lo, hi))), act=kind == "acts")
    for place, trouble, reach in GROUPS[group]["pairs"]:
        for x, y in near_pairs(words, place, trouble, reach):
            if place != LISTS["other_places_for"] or not elsewhere(words, x, y):
                own = frozenset((*span_words(x), *span_words(y)))
                behind = x[0] if x[0] > y[1] else None
                yield Match(min(x[0], y[0]), max(x[1], y[1]), y[0], own, place=behind)


def near_pairs(words: Words, place: str, trouble: str, reach: int) -> Iterator[tuple[Span, Span]]:
    """Both concepts, not overlapping, with at most `reach` words between them, in either order."""
    troubles = occurrences(words, CONCEPTS[trouble])
    for x in occurrences(words, CONCEPTS[place]):
        for y in troubles:
            if 0 <= gap(x, y) - 1 <= reach:
                yield x, y


def gap(one: Span, other: Span) -> int:
    """Difference of the word numbers between the nearest ends; 0 and less if the two share a word."""
    return max(other[0] - one[1], one[0] - other[1])


def elsewhere(words: Words, x: Span, y: Span) -> bool:
    """The numb place is another one than the saddle: it is nearer, and the saddle only hurts or stands before both."""
    own = {*span_words(x), *span_words(y)}
    others = [
        number
        for number, word in enumerate(words)
        if number not in own and fits_any(word, LISTS["other_places"]) and gap((number, number), y) <= gap(x, y)
    ]
    pain_before = words[max(0, x[0] - WINDOWS["pain_before"]) : x[0]]
    pain_after = words[x[1] + 1 : x[1] + 1 + WINDOWS["pain_after"]]
    if others and any_in(pain_before + pain_after, LISTS["pain_words"]):
        return True
    parting = {",", *LISTS["piece_words"]}
    return any(x[1] < y[0] and number > y[1] and not parting & set(words[y[1] + 1 : number]) for number in others)


def volumes(words: Words) -> Iterator[tuple[Span, float]]:
    """Each number that counts as a volume: from the phrase to the number, and the millilitres."""
    for kind in ("with_or_without_unit", "with_unit_only"):
        for phrase in NUMBERS[kind]:
            for lo, hi in spans(words, phrase):
                for number, millilitres in volumes_behind(words, hi, bare=kind == "with_or_without_unit"):
                    yield (lo, number), millilitres


def volumes_behind(words: Words, hi: int, *, bare: bool) -> Iterator[tuple[int, float]]:
    window = range(hi + 1, min(len(words), hi + 2 + NUMBERS["window"]))
    for order, number in enumerate([at for at in window if is_number(words[at])]):
        unit = words[number + 1] if number + 1 < len(words) else ""
        if fits_any(unit, NUMBERS["ml"]):
            yield number, float(words[number])
        elif fits_any(unit, NUMBERS["litre"]):
            yield number, float(words[number]) * 1000
        elif order == 0 and bare and not fits_any(unit, NUMBERS["not_a_volume"]):
            listed = unit == "," and number + 2 < len(words) and is_number(words[number + 2])
            if not listed:
                yield number, float(words[number])


def is_number(word: str) -> bool:
    return word[0].isdigit()
