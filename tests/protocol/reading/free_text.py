"""Dangers in the free text that no box says (triage specification, part 4 step 9)."""

from functools import lru_cache

from .answers import Answers
from .matches import bound_words, matches, volumes
from .outcomes import Reader
from .word_lists import GROUPS, LISTS, NUMBERS
from .words import sentences

RANKED = ("denied", "mentioned", "asserted")


def conflict(a: Answers) -> tuple[set[str], set[str]]:
    """The groups that are asserted and those only mentioned, without the groups that a box already says."""
    found = {group: outcome for group, outcome in outcomes(a.free_text, a.this_year).items() if not said(a, group)}
    return groups_that_are("asserted", found), groups_that_are("mentioned", found)


def said(a: Answers, group: str) -> bool:
    return any(a.says(box, *LISTS["silenced_by"]) for box in GROUPS[group]["boxes"])


def groups_that_are(outcome: str, found: dict[str, str]) -> set[str]:
    return {group for group in found if found[group] == outcome}


@lru_cache(maxsize=50_000)
def outcomes(text: str, this_year: int) -> dict[str, str]:
    """What the text says of each group that it speaks of: asserted, mentioned or denied."""
    best: dict[str, str] = {}
    for words in sentences(text):
        reader = Reader(words, bound_words(words), this_year)
        said_here = [(group, reader.outcome(match)) for group in GROUPS for match in matches(words, group)]
        said_here += [(NUMBERS["group"], outcome) for outcome in of_volumes(reader)]
        for group, outcome in said_here:
            best[group] = max(outcome, best.get(group, "denied"), key=RANKED.index)
    return best


def of_volumes(reader: Reader) -> list[str]:
    return [
        volume_outcome(reader, lo, hi, millilitres)
        for (lo, hi), millilitres in volumes(reader.words)
        if millilitres <= NUMBERS["at_most_ml"]
    ]


def volume_outcome(reader: Reader, lo: int, hi: int, millilitres: float) -> str:
    if millilitres < NUMBERS["at_least_ml"]:
        return "denied"
    return "mentioned" if reader.only_mentioned(lo, hi) else "asserted"
