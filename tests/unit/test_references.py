"""References: read however they are typed, and no wrong symbol gets through."""

import re
from pathlib import Path

import pytest
from stdnum import luhn

from shared.clinical.referral.references import SYMBOLS, BadReferenceError, read_reference

REFERENCE = "R-7K3M-9Q4M"


def test_the_check_is_luhn_mod_32_as_another_library_computes_it():
    for number in range(0, 32**7, 17_179_801):
        symbols = "".join(SYMBOLS[number // 32**place % 32] for place in range(7))
        whole = symbols + luhn.calc_check_digit(symbols, SYMBOLS)
        assert read_reference(whole) == f"R-{whole[:4]}-{whole[4:]}"


@pytest.mark.parametrize("typed", [REFERENCE, "r-7k3m-9q4m", "R7K3M9Q4M", "7K3M-9Q4M", " r 7k3m 9q4m "])
def test_it_is_read_in_any_case_with_or_without_hyphens(typed):
    assert read_reference(typed) == REFERENCE


def test_letters_that_look_like_digits_are_those_digits():
    (whole,) = (s for s in ("1000000" + c for c in SYMBOLS) if luhn.is_valid(s, SYMBOLS))
    for one in "1iIlL":
        assert read_reference(whole.replace("1", one, 1).replace("0", "o")) == f"R-{whole[:4]}-{whole[4:]}"


def test_every_single_wrong_symbol_is_found():
    symbols = REFERENCE.replace("-", "")[1:]
    for place, right in enumerate(symbols):
        for wrong in set(SYMBOLS) - {right}:
            with pytest.raises(BadReferenceError):
                read_reference(symbols[:place] + wrong + symbols[place + 1 :])


@pytest.mark.parametrize(
    "typed", ["", "R-", "R-7K3M-9Q4", "R-7K3M-9Q4MM", "R-7K3M-9Q4U", "S-7K3M-9Q4M", "R-7K3M-9Q4\u0660"]
)
def test_what_is_no_reference_is_refused(typed):
    with pytest.raises(BadReferenceError):
        read_reference(typed)


def test_references_that_people_are_shown_can_be_typed():
    root = Path(__file__).parents[2]
    pages = [*root.glob("docs/**/*.md"), *root.glob("services/cli/**/*.py"), *root.glob("services/api/**/*.html")]
    shown = [found for page in pages for found in re.findall(r"\bR-[0-9A-Z]{4}-[0-9A-Z]{4}\b", page.read_text())]
    assert len(shown) > 2
    assert [read_reference(each) for each in shown] == shown
