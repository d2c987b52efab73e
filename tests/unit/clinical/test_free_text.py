"""Danger phrases in the free text: found, and taken back only where the specification says so."""

import pytest

from shared.clinical.form import Form
from shared.clinical.free_text import find
from shared.clinical.triage import triage
from shared.protocols import active
from tests.unit.clinical.calm import decide, form

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
    assert list(find(text, active().phrases)) == groups, why


@pytest.mark.parametrize("phrase", active().phrases.phrases, ids=lambda phrase: " ".join(phrase.words))
def test_every_phrase_is_found(phrase):
    needed = "cannot " if phrase.words in active().phrases.only_negated else ""
    assert phrase.group in find(f"Since Monday {needed}{' '.join(phrase.words)}", active().phrases)


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
def test_a_phrase_counts_unless_the_box_says_so_already(box, answer, flag):
    decision = decide(free_text="she leaks urine", **{box: answer})
    assert ("RF_CONFLICT" in decision.red_flags) is flag


def test_one_of_several_boxes_silences_a_group():
    assert "RF_CONFLICT" not in decide(free_text="incontinent", bowel_change="new_or_worse").red_flags
    assert "RF_CONFLICT" in decide(free_text="urine leak", bowel_change="new_or_worse").red_flags


def test_the_reason_names_the_group_and_never_the_text():
    [reason] = decide(free_text="Mary Jones wet myself").reasons
    assert reason.because == {"encounter.free_text": "bladder phrase", "symptoms.bladder_change": "none"}


def test_a_stored_form_may_name_a_group_that_the_protocol_no_longer_has():
    stored = form().record()
    assert triage(Form.of({**stored, "phrases": ["hiccups"]}), active()) == triage(Form.of(stored), active())
