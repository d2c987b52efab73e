"""The free-text check: what a text asserts, denies or only mentions, in time proportional to its length."""

import itertools
import sys
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clinical.form import Form
from shared.clinical.text_check.measure import measure
from shared.clinical.text_check.spelling import Speller, is_near
from shared.clinical.triage import triage
from shared.protocols import ACTIVE, active, corpus
from tests.unit.clinical.calm import TODAY, decide, form

CHECK = active().phrases
LENGTH = 20_000

# text, outcome of each group of which it says anything
TEXTS = [
    ("", {}),
    ("says 'wet myself'", {"bladder": "asserted"}),
    ("can\u00b4t pee", {"bladder": "asserted"}),
    ("saddle\r\nnumbness", {"saddle": "asserted"}),
    ("numb groin\n\nno fever", {"saddle": "asserted"}),
    ("no fever\n- numb groin", {"saddle": "asserted"}),
    ("the patient's leg", {}),
    (
        "No saddle anaesthesia, bladder or bowel incontinence.",
        {"saddle": "denied", "bladder": "denied", "bowel": "denied", "sphincter": "denied"},
    ),
    ("No pain and incontinence since yesterday", {"sphincter": "asserted"}),
    ("no pain, wet myself", {"bladder": "asserted"}),
    ("urinary incontinence: no", {"bladder": "denied", "sphincter": "denied"}),
    ("saddle sensation normal, numbness not present", {"saddle": "denied"}),
    ("numbness: saddle none", {"saddle": "denied"}),
    ("numbness not in the groin", {"saddle": "denied"}),
    ("return if she wets herself", {"bladder": "mentioned"}),
    ("mother has slurred speech", {"stroke": "mentioned"}),
    ("my mother has slurred speech", {"stroke": "asserted"}),
    ("wet the bed two days ago", {"bladder": "asserted"}),
    ("wet the bed two years ago", {"bladder": "mentioned"}),
    ("wet the bed in 2025", {"bladder": "mentioned"}),
    ("wet the bed in 2026", {"bladder": "asserted"}),  # the year of the form
    ("wet the bed two years ago and again now", {"bladder": "asserted"}),
    ("PVR 600ml", {"bladder": "asserted"}),
    ("bladder scan 740", {"bladder": "asserted"}),
    ("PVR 55ml", {"bladder": "denied"}),
    ("residual 0.2 l", {"bladder": "asserted"}),
    ("residual 1,200 ml", {"bladder": "asserted"}),
    ("PVR 6000 ml", {}),  # no volume of a bladder
    ("retention, 300", {}),  # without a unit a number is a volume only after some phrases
    ("pvr 300 days", {}),
    ("if pvr 600 ml call", {"bladder": "mentioned"}),
    ("groin pain and numbness of the front of the thigh", {}),
    ("numb groin", {"saddle": "asserted"}),
    ("numb leg and groin", {"saddle": "asserted"}),
    ("difficulty passing stools", {}),
    ("sadle numbness", {"saddle": "asserted"}),
    ("incontinance of urine", {"bladder": "asserted", "sphincter": "asserted"}),
    ("orthopaedics", {}),
    ("phone number", {}),
    ("fluid retention, passes urine", {}),
    ("soiled dressing", {}),
    ("general anaesthesia, groin", {}),
    ("bilateral sciatica", {"sciatica": "asserted"}),
    ("?CES", {"cauda_equina": "asserted"}),
    ("in\u00adcontinence", {"sphincter": "asserted"}),  # a soft hyphen
    ("\uff57\uff45\uff54 myself", {"bladder": "asserted"}),  # full-width letters
    ("wet\u200b myself", {"bladder": "asserted"}),
    ("b/l leg weakness", {"bilateral": "asserted"}),
    ("has not been able to pee", {"bladder": "asserted"}),
    ("denies incontinence. Later incontinent of stool", {"bowel": "asserted", "sphincter": "asserted"}),
    ("denies incontinence but wet myself", {"bladder": "asserted", "sphincter": "denied"}),
]


@pytest.mark.parametrize(("text", "outcomes"), TEXTS, ids=[repr(row[0])[:50] for row in TEXTS])
def test_the_outcome_of_each_group(text, outcomes):
    assert CHECK.outcomes(text, TODAY) == outcomes


def test_the_corpus_is_found_and_left_alone_as_the_specification_says():
    measured = measure(CHECK, corpus(ACTIVE), today=TODAY)
    assert (measured.asserted, measured.others) == (61, 80)
    assert measured.found >= 59
    assert measured.left_alone >= 77


@pytest.mark.parametrize("text", [None, 5, ["wet myself"], {"text": "wet myself"}, True])
def test_what_is_no_text_says_nothing(text):
    assert form(free_text=text).phrases == ()


@pytest.mark.parametrize(
    ("box", "answer", "flag"),
    [
        ("bladder_change", "none", True),
        ("bladder_change", "unknown", True),
        ("bladder_change", None, True),
        ("bladder_change", "longstanding_unchanged", False),
    ],
)
def test_a_danger_counts_unless_the_box_says_so_already(box, answer, flag):
    decision = decide(free_text="she leaks urine", **{box: answer})
    assert ("RF_CONFLICT" in decision.red_flags) is flag


def test_an_old_answer_silences_as_the_new_one():
    assert "RF_CONFLICT" not in decide(free_text="bilateral sciatica", bilateral_sciatica="present").red_flags
    assert "RF_CONFLICT" in decide(free_text="bilateral sciatica", bilateral_sciatica="absent").red_flags


def test_the_reason_names_the_group_and_never_the_text():
    [reason] = decide(free_text="Mary Jones wet myself").reasons
    assert reason.because == {"encounter.free_text": "bladder phrase", "symptoms.bladder_change": "none"}


def test_a_stored_form_may_name_a_group_that_the_protocol_does_not_have():
    stored = form().record()
    other = {**stored, "phrases": ["hiccups"], "mentioned": ["hiccups"]}
    assert triage(Form.of(other), active()) == triage(Form.of(stored), active())


def optimal_string_alignment(one, other):
    rows = [[max(i, j) if not i or not j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i, j in itertools.product(range(1, len(one) + 1), range(1, len(other) + 1)):
        change = one[i - 1] != other[j - 1]
        rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + change)
        if i > 1 and j > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
            rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(st.text("abc", max_size=9), st.text("abc", max_size=9), st.integers(0, 2))
def test_the_spelling_distance_is_that_of_optimal_string_alignment(one, other, slips):
    assert is_near(one, other, slips) is (optimal_string_alignment(one, other) <= slips)


@pytest.mark.parametrize(
    ("word", "mended"),
    [
        ("sadle", "saddle"),
        ("sdadle", "saddle"),
        ("saddles", "saddles"),  # begins with a stem
        ("addle", "addle"),  # another first letter
        ("sade", "sade"),  # too short
        ("inconttinance", "incontinen"),  # two slips in a long word
        ("sadddles", "saddle"),
        ("wound", "wound"),  # left alone
    ],
)
def test_a_word_is_mended(word, mended):
    assert Speller(["saddle*", "incontinen*", "sound"], ["wound", "sound"]).mend(word) == mended


def steps(text):
    """Count the lines of our code that run, which no other load of the machine changes."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        count += event == "line"
        return trace if "text_check" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        CHECK.outcomes(text, date(2026, 11, 22))
    finally:
        sys.settrace(before)
    return count


ADVERSARIAL = [
    *("numb s3 ", "no numb s3, ", "no ", "denies urine leak hold pad, ", "both sciatica ", "not been able ", "1,000"),
    *("bladder scan 100 ", "incontinesce paraplefia sadddle ", "\u0301\u0316", "\n \n", "'", "if wet myself ", "x"),
]


@pytest.mark.parametrize("part", ADVERSARIAL, ids=repr)
def test_the_work_is_proportional_to_the_length(part):
    half, whole = ((part * length)[:length] for length in (LENGTH // 2, LENGTH))
    assert steps(whole) < 2.2 * steps(half) + 500
