"""Free text made of findings, negators, places, volumes, history and advice, as many hands would type them."""

import random

from .prose_noise import retyped
from .reading.word_lists import CONCEPTS, GROUPS, LISTS, NUMBERS

Dice = random.Random

NOUNS = sorted({phrase for group in GROUPS.values() for phrase in group["nouns"]})
ACTS = sorted({phrase for group in GROUPS.values() for phrase in group["acts"]})
BY_GROUP = [group["nouns"] + group["acts"] for group in GROUPS.values() if group["nouns"]]
PAIRS = [tuple(pair) for group in GROUPS.values() for pair in group["pairs"]]
PHRASES = sorted({phrase.replace("*", "") for phrase in [*NOUNS, *ACTS, *(p for ps in CONCEPTS.values() for p in ps)]})
NEGATIONS = sorted({form for forms in LISTS["normal_forms"].values() for form in forms})
NEGATORS = sorted({*LISTS["list_negators"], *LISTS["direct_negators"], *NEGATIONS})
LIST_WORDS = sorted(LISTS["list_negators"])
BLOCKERS = sorted({*LISTS["noun_blockers"], *LISTS["act_blockers"]})
BREAKERS = sorted(LISTS["state_words"])
AFTERWARDS = [
    *sorted({*LISTS["time_words"], *LISTS["now"], *LISTS["after_last"], *LISTS["after_near"]}),
    *(f"not {word}" for word in LISTS["after_not"]),
    *(": no", ": absent", ": yes", "and no", ", nil", "no, and", "is not there"),
]
CIRCUMSTANCES = [
    *LISTS["hypothetical"],
    *LISTS["past"],
    *(f"{own}{person}" for own in ("", "my ", "her ") for person in LISTS["other_person"]),
    *("in 1899", "in 1900", "in 2019", "in 2025", "in 2026", "in 2027", "1998 ml", "2019 l", "02019", "20 years ago"),
]
PLACES = sorted({*LISTS["other_places"], *LISTS["pain_words"], *LISTS["inside"]})
INNOCENTS = [f"{x} {y}" if where == "next" else f"{y} {x}" for x, where, ys in LISTS["innocent"] for y in ys]
FILLERS = ("he", "the", "left", "leg", "pain", "of", "any", "really", "two", "days", "1", "i've", "bladder", "be", "%")
PIECE_JOINS = (",", ",", "/", "and", "then", "so", "because", "-", "nor", "but", ":")
JOINS = (
    *(". ", "; ", ": ", "! ", "? ", " (", ") ", " [", "] ", ' "', "\n", "\r\n", "\n\n", "\n- ", "\n 2) ", "\n3.5 "),
    *(", ", ",", " / ", "/", " - ", "-", " \u2013 ", "*", "_", "\t", "  ", "\n\u2022 ", " % "),
    *(f" {word} " for word in sorted({*LISTS["sentence_words"], *LISTS["piece_words"]})),
    *(f" {word}ing " for word in sorted({*LISTS["sentence_words"], *LISTS["piece_words"]})),
)
AMOUNTS = (
    "0",
    "55",
    "199",
    "199.9",
    "200",
    "200.0",
    "480",
    "0.2",
    "0.19",
    "1,200",
    "12,00",
    "5000",
    "5001",
    "6",
    "1e3",
)
UNITS = ("", "", " ml", "ml", " mls", "cc", " l", " litres", " h", "hrs", " %", " pm", ", 300", " , 2 l", " weeks", "x")


def passage(dice: Dice) -> str:
    """A sentence or two, as some hand would type them."""
    text = dice.choices((sentence, a_list, a_mention), (5, 2, 3))[0](dice)
    if dice.random() < 0.3:
        text += dice.choice(JOINS) + (a_list(dice) if dice.random() < 0.5 else sentence(dice))
    return retyped(dice, text)


def a_list(dice: Dice) -> str:
    """Things denied one after the other, and what may end the denial."""
    listed = [dice.choice(LIST_WORDS), *fillers(dice)]
    for _ in range(dice.choice((1, 1, 1, 2, 6))):
        before = [*some_of(dice, BREAKERS, 0.2), *fillers(dice)]
        after = [*fillers(dice), *some_of(dice, AFTERWARDS, 0.3)]
        listed += [dice.choice(PIECE_JOINS), *before, finding(dice), *after]
    return " ".join(listed)


def a_mention(dice: Dice) -> str:
    """A finding of any group beside advice, history or another person."""
    group = dice.choice([*GROUPS.values(), GROUPS["sciatica"], GROUPS["saddle"]])  # the two hardest to mention
    phrases = [*group["nouns"], *group["acts"]]
    pair = group["pairs"] and (not phrases or dice.random() < 0.5)
    found = a_pair(dice, dice.choice(group["pairs"])) if pair else spelt(dice, dice.choice(phrases))
    words = [dice.choice(CIRCUMSTANCES), *fillers(dice), found]
    return " ".join(words if dice.random() < 0.6 else reversed(words))


def sentence(dice: Dice) -> str:
    """A few clauses, joined by anything."""
    text = clause(dice)
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 3))):
        text += dice.choice(JOINS) + clause(dice)
    return text


def clause(dice: Dice) -> str:
    """A finding with what may stand before and after it, or a list member without one."""
    if dice.random() < 0.12:
        return " ".join([*some_of(dice, LIST_WORDS, 0.7), *fillers(dice)])
    words = [
        *some_of(dice, CIRCUMSTANCES, 0.2),
        *fillers(dice),
        *some_of(dice, NEGATORS, 0.3),
        *fillers(dice),
        *some_of(dice, [word.replace("*", "ing") for word in BLOCKERS], 0.15),
        *some_of(dice, BREAKERS, 0.1),
        finding(dice),
        *fillers(dice),
        *some_of(dice, AFTERWARDS, 0.25),
        *some_of(dice, CIRCUMSTANCES, 0.12),
        *some_of(dice, PLACES, 0.05),
    ]
    return " ".join(words).replace("*", "")


def finding(dice: Dice) -> str:
    """A listed phrase, a pair of concepts within or beyond its reach, a volume, or an innocent look-alike."""
    chance = dice.random()
    if chance < 0.35:
        return spelt(dice, dice.choice(dice.choice(BY_GROUP)))
    if chance < 0.8:
        return a_pair(dice, dice.choice(PAIRS))
    if chance < 0.93:
        return a_volume(dice)
    return dice.choice(INNOCENTS)


def a_pair(dice: Dice, pair: tuple[str, str, int]) -> str:
    place, trouble, reach = pair
    both = [spelt(dice, dice.choice(CONCEPTS[place])), spelt(dice, dice.choice(CONCEPTS[trouble]))]
    if dice.random() < 0.5:
        both.reverse()
    count = dice.choice((0, 0, 0, 1, 2, 3, reach, reach + 1))
    between = [dice.choice(FILLERS) for _ in range(count)]
    for kind, chance in ((PLACES, 0.2), (NEGATORS, 0.12), (PIECE_JOINS, 0.1)):
        if between and dice.random() < chance:
            between[dice.randrange(len(between))] = dice.choice(kind)
    return " ".join([both[0], *between, both[1]])


def a_volume(dice: Dice) -> str:
    kind = dice.choice(("with_or_without_unit", "with_or_without_unit", "with_unit_only"))
    between = dice.choices(FILLERS, k=dice.choice((0, 0, 1, 2, 4, 5)))
    amounts = [dice.choice(AMOUNTS) + dice.choice(UNITS) for _ in range(dice.choice((1, 1, 2, 3)))]
    return " ".join([spelt(dice, dice.choice(NUMBERS[kind])), *between, *amounts])


def spelt(dice: Dice, phrase: str) -> str:
    """Mostly as listed; sometimes continued, cut short, misspelt, or broken by a word."""
    words = [word.replace("*", dice.choice(("", "s", "ed", "ing", "ce"))) for word in phrase.split()]
    place = dice.randrange(len(words))
    fate = dice.random()
    if fate < 0.07:
        words[-1] += dice.choice(("s", "ce", "t", "ing", "'s", "x"))
    elif fate < 0.22:
        words[place] = misspelt(dice, words[place])
    elif fate < 0.25:
        words.insert(place, dice.choice((*FILLERS, ",", ".", "and", "-", "but")))
    return " ".join(words)


def misspelt(dice: Dice, word: str) -> str:
    """One or two slips of the hand: a letter too many, too few, another one, or two exchanged."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        at = dice.randrange(1, len(word)) if len(word) > 1 else 0
        letter = dice.choice("aeionrstlmh")
        slips = (
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
        )
        word = dice.choice(slips) or word
    return word


def fillers(dice: Dice) -> list[str]:
    return dice.choices(FILLERS, k=dice.choice((0, 0, 0, 0, 1, 2, 3, 4)))


def some_of(dice: Dice, words: list[str], chance: float) -> list[str]:
    return [dice.choice(words)] if dice.random() < chance else []
