"""Hypothesis strategies for answers and free text, over the whole vocabulary of the form."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from .bodies import ABSENT, Answers
from .calm import calm, examined
from .near import BY_NAME, DEFINITE, EDGES, VAGUE, WRONG
from .prose import AFTERWARDS, BLOCKERS, BREAKERS, CIRCUMSTANCES, FILLERS, INNOCENTS, JOINS, NEGATORS, PHRASES
from .recipes import QUIET_RECIPES, RED_FLAG_RECIPES

Change = tuple[str, Any]

LISTED_CHANGES: list[Change] = [
    *((name, value) for name, values in DEFINITE.items() for value in values),
    *((name, value) for name, values in VAGUE.items() for value in (*values, ABSENT)),
    *((name, value) for name, values in WRONG.items() for value in values[:6]),
    *(("age_years", age) for age in EDGES["age_years"]),
    *(("birth_date", value) for value in (None, ABSENT, "unknown", "2020-02-30", "2026-11-23", 19800101)),
]
TOKENS = sorted({*PHRASES, *NEGATORS, *BLOCKERS, *BREAKERS, *AFTERWARDS, *CIRCUMSTANCES, *INNOCENTS, *FILLERS, *JOINS})
WORDS = sorted({answer for field in BY_NAME.values() for answer in field.answers})
NUMERIC = [field for field in BY_NAME.values() if field.span]


def free_texts() -> st.SearchStrategy[str]:
    composed = st.lists(st.sampled_from(TOKENS), max_size=8).map(" ".join)
    return st.one_of(st.sampled_from(PHRASES), composed, st.text(max_size=60))


def number_changes() -> st.SearchStrategy[Change]:
    return st.sampled_from(NUMERIC).flatmap(
        lambda field: st.tuples(st.just(field.name), st.floats(*field.span, allow_nan=False))
    )


def changes() -> st.SearchStrategy[Change]:
    text = st.tuples(st.just("free_text"), free_texts())
    listed = st.sampled_from(LISTED_CHANGES)
    return st.one_of(listed, listed, listed, number_changes(), text)


def anything_at_all() -> st.SearchStrategy[Answers]:
    """Each field answered in any way or not at all, with no form in mind."""
    fields = {name: st.sampled_from((*values, *VAGUE[name])) for name, values in DEFINITE.items()}
    ages = {"age_years": st.sampled_from(EDGES["age_years"])}
    return st.fixed_dictionaries({}, optional=fields | ages)


def answers() -> st.SearchStrategy[Answers]:
    """A known starting point with a few changes, or a form drawn field by field."""
    start = st.sampled_from([{}, calm(), examined(), *QUIET_RECIPES, *RED_FLAG_RECIPES])
    near = st.builds(lambda form, new: form | dict(new), start, st.lists(changes(), max_size=8))
    return st.one_of(near, near, near, near, anything_at_all())


def urgent_answers() -> st.SearchStrategy[Answers]:
    """Close to a red-flag rule, with few changes, so that most stay in the urgent queue."""
    start = st.sampled_from(RED_FLAG_RECIPES)
    return st.builds(lambda form, new: form | dict(new), start, st.lists(changes(), max_size=3))


def any_json(*keys: Sequence[str]) -> st.SearchStrategy[Any]:
    """Any JSON value; with keys given, objects mostly use the first names outside and the next inside."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(WORDS)
    )
    plain = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner))
    nested = plain
    for names in reversed(keys):
        nested = st.one_of(plain, st.dictionaries(st.sampled_from(names), nested, max_size=8))
    return nested
