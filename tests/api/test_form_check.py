"""The quick check of a form and the schema agree on what is valid, over valid bodies and bodies that are nearly so."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.forms.schema import create_form_schema
from services.api.forms.validity_check import create_form_check
from shared.protocols import active
from tests.cases import cases

FORM = active().form
IS_VALID, SCHEMA = create_form_check(FORM), create_form_schema(FORM)
BODIES = [case.body() for case in cases()]
ABSENT = object()
PLACES = [(section.name, each.name) for section in FORM.sections for each in section.fields]
LISTED = sorted({value for each in FORM.fields.values() for value in each.accepts})
STRANGE: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        3,
        3.0,
        0.5,
        10.0001,
        1e30,
        2**53,
        2**53 + 1,
        -(2**53) - 1,
        "",
        " ",
        "x",
        "\x00",
        "a\tb",
    ),
    *("a\nb", "not_asked", "unknown", "Present", "x" * 200, "x" * 10_000, "x" * 10_001, [], ["present"], {}, {"a": 1}),
    *("1980-01-01", "2026-02-30", "1980-1-1", "2026-11-22T09:30:00+01:00", "2026-11-22T09:30:00", "2026-13-22T09:30Z"),
]
answers = st.one_of(
    st.sampled_from(STRANGE),
    st.sampled_from(LISTED),
    st.just(ABSENT),
    st.floats(-20, 300),
    st.integers(-20, 300),
    st.text(max_size=40),
)
changes = st.tuples(st.sampled_from([*PLACES, ("symptoms", "no_such_field"), ("nowhere", "onset")]), answers)
sections = st.tuples(
    st.sampled_from([*(section.name for section in FORM.sections), "nowhere"]),
    st.sampled_from([None, {}, [], "x", 3, ABSENT]),
)


def changed(body: dict[str, Any], section: str, name: str, answer: Any) -> None:
    where = body.get(section)
    where = body[section] = where if isinstance(where, dict) else {}
    if answer is ABSENT:
        where.pop(name, None)
    else:
        where[name] = answer


def agreed(body: Any) -> bool:
    """Say whether `body` is valid, where both say the same."""
    verdict = IS_VALID(body)
    assert verdict is not bool(SCHEMA.validate(body))
    return verdict


@pytest.mark.parametrize("body", BODIES)
def test_every_example_is_valid(body: dict[str, Any]) -> None:
    assert agreed(body)


@pytest.mark.parametrize(("section", "name"), PLACES)
@pytest.mark.parametrize("start", [BODIES[0], BODIES[-1]])
def test_they_agree_on_every_field(start: dict[str, Any], section: str, name: str) -> None:
    for answer in (*STRANGE, *FORM.fields[name].accepts, ABSENT):
        body = deepcopy(start)
        changed(body, section, name, answer)
        agreed(body)


@given(st.sampled_from(BODIES), st.lists(changes, max_size=3), st.lists(sections, max_size=1))
def test_they_agree_near_every_example(
    start: dict[str, Any], new: list[tuple[tuple[str, str], Any]], whole: list[tuple[str, Any]]
) -> None:
    body = deepcopy(start)
    for (section, name), answer in new:
        changed(body, section, name, answer)
    for section, answers_of_it in whole:
        body[section] = answers_of_it
        if answers_of_it is ABSENT:
            del body[section]
    agreed(body)


@pytest.mark.parametrize("body", [None, [], {}, "x", 3, True, [{}]])
def test_what_is_no_form_is_not_valid(body: Any) -> None:
    assert not agreed(body)
