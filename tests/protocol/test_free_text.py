"""Danger phrases in the free text: counted, negated, or not there (triage specification, part 4 step 9)."""

import random

import pytest

from shared.clinical.form import read
from shared.protocols import active

from .bodies import TODAY, body_of
from .prose import PHRASES, passage
from .reading.free_text import phrase_groups

TEXTS = [
    # text, groups that count, what it shows
    ("wet myself twice since yesterday and did not notice", "bladder", "a negator after the phrase is nothing"),
    ("no pain, wet myself", "bladder", "action phrases are never negated by a list"),
    ("denies pain, urinary incontinence", "", "noun phrases are"),
    ("denies pain, has urinary incontinence", "bladder sphincter", "unless a verb says there is some"),
    ("no pain, urinary incontinence since Monday", "bladder sphincter", "or a time says when"),
    ("no pain, urinary incontinence of a b since", "bladder sphincter", "within four words"),
    ("no pain, urinary incontinence of a b c since", "", "and no further"),
    ("no pain, slurred speech, soiling", "", "a list goes on over all its pieces"),
    ("no pain. Slurred speech", "stroke", "and ends with its sentence"),
    ("no pain but slurred speech", "stroke", "or with a but"),
    ("not in pain, slurred speech", "stroke", "a verb negator makes no list"),
    ("no leg pain or any trouble at all with facial droop", "", "a noun phrase is negated at any distance"),
    ("no warning before urinary retention", "bladder", "a blocker takes the negator's force"),
    ("has not soiled", "", "a verb negator before an action phrase"),
    ("not at all soiled", "", "at most three words before it"),
    ("not at all really soiled", "bowel", "and not four"),
    ("did not notice he soiled himself", "bowel", "a blocker between them"),
    ("not wet myself though numb groin", "saddle", "each sentence for itself"),
    ("numb buttocks", "saddle", "the last word may continue"),
    ("numbed buttock", "", "the others are exact"),
    ("numb left buttock", "", "and follow one another"),
    ("numb, groin", "", "in one piece"),
    ("cannot feel myself wipe", "saddle", "feeling counts only when it is denied"),
    ("I feel myself wipe", "", "and not otherwise"),
    ("I can no longer in any way feel the toilet paper", "saddle", "at any distance"),
    ("not sure, feel when I wipe", "", "in the same piece"),
    ("CAN\u2019T PASS URINE", "bladder", "capitals and curly apostrophes"),
    ("wet-myself", "bladder", "hyphens are spaces"),
    ("both legs are  giving\tway", "bilateral", "spaces are spaces"),
    ("both legs\ngave way", "", "a line ends a sentence"),
    ("no incontinence", "", "negated"),
    ("incontinent of faeces", "bowel sphincter", "two groups in one"),
    ("never incontinent", "", "never is a verb negator"),
    ("wasn't incontinent", "", "so is wasn't"),
    ("choking on water/speech slurred", "swallowing stroke", "a stroke of the pen parts two pieces"),
    ("breathless when lying", "breathing", "no noun phrases here"),
    ("but denies pain, wet myself", "bladder", "after a but, pieces are pieces again"),
    ("She wet her\u00adself", "bladder", "a soft hyphen is nothing"),
    ("She wet\u200b her\u200dself", "bladder", "nor is what has no width"),
    ("She w\u2066et\u2069 her\u200eself", "bladder", "nor what turns the direction"),
    ("\uff33he \uff57et \uff48erself", "bladder", "full-width letters are letters"),
    ("n\u00ado incontinence", "", "a negator is found as well"),
    ("nothing", "", "no phrase at all"),
]


@pytest.mark.parametrize(("text", "groups"), [(text, groups) for text, groups, _ in TEXTS])
@pytest.mark.parametrize("implementation", ["reading", "service"])
def test_these_groups_count(implementation: str, text: str, groups: str) -> None:
    found = phrase_groups(text) if implementation == "reading" else served(text)

    assert found == set(groups.split())


def served(text: str) -> set[str]:
    return set(read(body_of({"free_text": text}), active(), today=TODAY).phrases)


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_listed_phrase_counts_in_both(phrase: str) -> None:
    text = f"cannot {phrase}" if phrase.startswith("feel") else f"Since Monday {phrase}, says the daughter"

    assert phrase_groups(text)
    assert served(text) == phrase_groups(text)


def test_10000_generated_passages_are_read_alike() -> None:
    dice = random.Random(41)  # noqa: S311  (variety is wanted here, not secrecy)
    passages = {passage(dice) for _ in range(10_000)}
    differing = {text: (phrase_groups(text), served(text)) for text in passages}

    assert {text: both for text, both in differing.items() if both[0] != both[1]} == {}
