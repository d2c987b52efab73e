"""The list of phrases of versions before 2026.2.0: found, and taken back only where its specification says so."""

import pytest

from shared.clinical.text_check.phrases import find
from shared.protocols import ACTIVE, load

PHRASES = load(ACTIVE.parent / "2026.1.0").phrases

# text, groups found, why
TEXTS = [
    ("", [], "nothing"),
    ("Wet myself twice since yesterday", ["bladder"], "upper case"),
    ("can\u2019t pee", ["bladder"], "a curly apostrophe"),
    ("urinary-incontinence", ["bladder", "sphincter"], "a hyphen is a space; the last word may continue"),
    ("I have numb buttocks", ["saddle"], "the last word may continue"),
    ("numbness, buttocks fine", [], "the first word may not"),
    ("wet the\nbed", [], "a line end ends the sentence"),
    ("wet, myself", [], "a comma ends the piece"),
    ("speech is slurred", ["stroke"], "an action phrase"),
    ("both my legs are weak and cannot swallow", ["bilateral", "swallowing"], "two groups, two pieces"),
    ("'wet myself'", [], "an apostrophe belongs to the word"),
    ("incontinentia", ["sphincter"], "a single word may continue"),
    # negated directly
    ("denies urinary incontinence", [], "list negator before a noun phrase"),
    ("no saddle anaesthesia", [], "list negator"),
    ("never had any trouble of the kind called urinary incontinence", [], "a noun phrase, from any distance"),
    ("not aware of urinary incontinence", ["bladder", "sphincter"], "a blocker between"),
    ("aware, not of incontinence", [], "a blocker before the negator does not count"),
    ("did not wet myself", [], "verb negator within three words"),
    ("I never have once in my life wet myself", ["bladder"], "an action phrase, from too far"),
    ("did not notice and wet myself", ["bladder"], "and begins a new piece"),
    ("could not stop and wet myself", ["bladder"], "another piece"),
    ("not able leaking urine", ["bladder"], "a blocker before an action phrase"),
    ("didn't reach the toilet soiled", ["bowel"], "too far, and blocked"),
    ("no bladder control", ["bladder"], "the negator is part of the phrase"),
    # negated by a list
    ("no fever, weakness or urinary incontinence", [], "a list negator in an earlier piece"),
    ("no fever, has urinary incontinence", ["bladder", "sphincter"], "has before the phrase"),
    ("no fever, urinary incontinence since monday", ["bladder", "sphincter"], "since within four words after it"),
    ("no fever, urinary incontinence of the kind mother had last", [], "last beyond four words"),
    ("no fever. urinary incontinence", ["bladder", "sphincter"], "another sentence"),
    ("no fever but urinary incontinence", ["bladder", "sphincter"], "but begins a sentence"),
    ("not ill, urinary incontinence", ["bladder", "sphincter"], "a verb negator makes no list"),
    ("no pain, wet myself", ["bladder"], "an action phrase is never negated by a list"),
    ("urinary incontinence, no fever", ["bladder", "sphincter"], "a later piece does not reach back"),
    # said by its negation
    ("I cannot feel myself wipe", ["saddle"], "the loss is said by its negation"),
    ("I feel myself wipe", [], "feeling is kept"),
    ("hardly feel when I wipe", ["saddle"], "hardly"),
    ("no longer feel the toilet paper", ["saddle"], "no other negation applies"),
    ("denies that she can't feel the toilet paper", ["saddle"], "no other negation applies"),
    ("denies incontinence; later incontinent of stool", ["bowel", "sphincter"], "one un-negated phrase is enough"),
]


@pytest.mark.parametrize(("text", "groups", "why"), TEXTS, ids=[row[2] for row in TEXTS])
def test_it_finds_what_is_said(text, groups, why):
    assert list(find(text, PHRASES)) == groups, why


@pytest.mark.parametrize("phrase", PHRASES.phrases, ids=lambda phrase: " ".join(phrase.words))
def test_every_phrase_is_found(phrase):
    needed = "cannot " if phrase.words in PHRASES.only_negated else ""
    assert phrase.group in find(f"Since Monday {needed}{' '.join(phrase.words)}", PHRASES)
