"""Texts that read alike have one spelling, and what nobody sees is found."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clinical.text import CONTROL, normalise, record_number, without_control_characters

EVERY = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]


def test_no_format_character_is_left_of_any_character():
    left = [each for each in EVERY if any(unicodedata.category(part) == "Cf" for part in normalise(f"a{each}b"))]
    assert left == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_normal_is_normal(text):
    assert normalise(normalise(text)) == normalise(text)
    assert record_number(record_number(text)) == record_number(text)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("MRN-1", "MRN-1"),
        (" MRN-1\u3000", "MRN-1"),
        ("MRN  \u00a0 1", "MRN 1"),
        ("\uff2d\uff32\uff2e-\uff11", "MRN-1"),
        ("\u200bM\u00adRN-1\ufeff", "MRN-1"),
        ("u\u0308", "\u00fc"),
        ("u\u200d\u0308", "\u00fc"),
        ("mrn-1", "mrn-1"),
        ("001", "001"),
    ],
)
def test_a_record_number(typed, number):
    assert record_number(typed) == number


def test_controls_separators_and_directions_are_refused_and_nothing_else():
    refused = {each for each in EVERY if CONTROL.search(each)}
    bidi = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert refused == {each for each in EVERY if unicodedata.category(each) in ("Cc", "Zl", "Zp")} | bidi
    spaces = {each for each in EVERY if without_control_characters(each) != each}
    assert spaces == refused - set("\t\n\r")
    assert {without_control_characters(each) for each in spaces} == {" "}
