"""Dangers in the free text: asserted, denied, only mentioned, or not there (triage specification, part 4 step 9)."""

import random
import time

import pytest

from .bodies import TODAY, body_of
from .calm import calm
from .decisions import Decide, reading, service
from .examples import corpus
from .prose import passage
from .reading.free_text import outcomes
from .reading.spelling import VOCABULARY, distance, mended
from .reading.word_lists import GROUPS
from .reading.words import sentences
from .texts import ADVERSARIAL, TEXTS

both_implementations = pytest.mark.parametrize("decide", [reading, service])
BOXES = sorted({box for group in GROUPS.values() for box in group["boxes"]})


@pytest.mark.parametrize(("text", "expected"), [(text, expected) for text, expected, _ in TEXTS])
def test_the_reading_gives_each_group_its_outcome(text: str, expected: str) -> None:
    found = " ".join(f"{group}:{outcome}" for group, outcome in sorted(outcomes(text, TODAY.year).items()))

    assert found == expected


@pytest.mark.parametrize("text", [text for text, _, _ in TEXTS])
@both_implementations
def test_what_is_asserted_fires_and_what_is_mentioned_is_listed(decide: Decide, text: str) -> None:
    result = decide(body_of(calm() | {"free_text": text}))
    found = outcomes(text, TODAY.year)

    assert ("XU12" in result["fired"]) == ("asserted" in found.values())
    assert result["mentioned"] == sorted(group for group in found if found[group] == "mentioned")


@both_implementations
def test_recall_and_specificity_on_the_corpus(decide: Decide) -> None:
    found = {True: [0, 0], False: [0, 0]}
    for labelled in corpus():
        asserted = labelled["outcome"] == "asserted"
        flagged = "XU12" in decide(body_of(calm() | {"free_text": labelled["text"]}))["fired"]
        found[asserted][0] += flagged == asserted
        found[asserted][1] += 1

    assert found == {True: [59, 61], False: [77, 80]}


def test_10000_generated_passages_are_read_alike() -> None:
    """With some boxes calm, some asked in vain and some answered, so that each group stands alone now and then."""
    dice = random.Random(41)  # noqa: S311  (variety is wanted here, not secrecy)
    for _ in range(10_000):
        boxes = dice.sample(BOXES, dice.choice((0, 0, 1, 4, 8)))
        said = {box: dice.choice(("longstanding_unchanged", "present", "unknown")) for box in boxes}
        body = body_of(calm() | said | {"free_text": passage(dice)})
        expected, found = reading(body), service(body)

        assert {name: found[name] for name in found if found[name] != expected[name]} == {}, body


@pytest.mark.parametrize("text", ADVERSARIAL)
def test_20000_adversarial_characters_are_read_in_linear_time_by_the_service(text: str) -> None:
    short, long = timed(text[:5_000]), timed(text)

    assert long < max(0.5, 10 * short), "four times the text takes about four times as long"


def timed(text: str) -> float:
    body = body_of(calm() | {"free_text": text})
    begun = time.process_time()
    service(body)
    return time.process_time() - begun


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sadle", "saddle"),
        ("numbnes", "numbness"),
        ("incontinnent", "incontinen"),
        ("numbness", "numbness"),
        ("number", "number"),
        ("orthopaedics", "orthopaedics"),
        ("badle", "badle"),
        ("anasthesia", "anaesthesia"),
        ("previous", "previous"),
    ],
)
def test_a_misspelt_word_is_mended_within_its_distance(written: str, read: str) -> None:
    assert mended(written) == read


def test_the_distance_counts_an_exchange_of_neighbours_once_and_edits_no_part_twice() -> None:
    assert [distance("sadlde", "saddle"), distance("ca", "abc"), distance("", "abc"), distance("same", "same")] == [
        *(1, 3, 3, 0)
    ]


def test_the_vocabulary_is_tried_longest_stem_first() -> None:
    lengths = [len(entry.removesuffix("*")) for entry in VOCABULARY]

    assert lengths == sorted(lengths, reverse=True)
    assert min(lengths) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It\u2019s 1,200 ml.", [["it's", "1200", "ml"]]),
        ("b/l legs/arms", [["bilateral", "legs", ",", "arms"]]),
        ("sad\u00addle \uff4e\uff55\uff4d\uff42", [["saddle", "numb"]]),
        ("a\n\nb\n- c\nd\n2) e\n3.5 f", [["a"], ["b"], ["c", "d"], ["2"], ["e", "3.5", "f"]]),
        ("has not been able to go but can't stop", [["has", "cannot", "go"], ["cannot", "stop"]]),
        ("unable to pee", [["cannot", "pee"]]),
        ("caf\u00e9 x-ray 'no'", [["caf", "x", "ray"], ["no"]]),
        ("S3 600ml 5%", [["s3", "600", "ml", "5", "%"]]),
    ],
)
def test_a_text_becomes_sentences_of_words(text: str, words: list[list[str]]) -> None:
    assert sentences(text) == words
