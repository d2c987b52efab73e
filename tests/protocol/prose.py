"""Free text made of danger phrases, negators, blockers, distances and punctuation."""

import random

from .reading.phrases import (
    ACTION_BLOCKERS,
    FEEL_NEGATORS,
    GROUPS,
    LIST_BREAKERS_AFTER,
    LIST_BREAKERS_BEFORE,
    LIST_NEGATORS,
    NOUN_BLOCKERS,
    PIECE_WORDS,
    SENTENCE_WORDS,
    VERB_NEGATORS,
)

PHRASES = sorted({" ".join(words) for group in GROUPS for words in [*group.nouns, *group.actions]})
NEGATORS = sorted(LIST_NEGATORS | VERB_NEGATORS | FEEL_NEGATORS)
LIST_WORDS = sorted(LIST_NEGATORS)
BREAKERS = sorted(LIST_BREAKERS_BEFORE)
AFTERWARDS = sorted(LIST_BREAKERS_AFTER)
BLOCKERS = sorted({*ACTION_BLOCKERS, *NOUN_BLOCKERS})
PIECE_JOINS = (",", ",", "/", "and", "then", "so", "because", "-", "nor", "but")
ENDINGS = ("", "", "ing", "ed", "s", "ly", "t")
FILLERS = ("he", "the", "left", "leg", "pain", "of", "any", "really", "two", "days", "1", "i've", "bladder", "be")
JOINS = (
    *(". ", "; ", ": ", "! ", "? ", " (", ") ", " [", "] ", ' "', "\n", "\r\n"),
    *(", ", ",", " / ", "/", " - ", "-", " \u2013 ", "*", "_", "\t", "  "),
    *(f" {word} " for word in sorted(SENTENCE_WORDS | PIECE_WORDS)),
    *(f" {word}ing " for word in sorted(SENTENCE_WORDS | PIECE_WORDS)),
)


def passage(dice: random.Random) -> str:
    """A sentence or two, as some hand would type them."""
    text = a_list(dice) if dice.random() < 0.3 else sentence(dice)
    if dice.random() < 0.3:
        text += dice.choice(JOINS) + (a_list(dice) if dice.random() < 0.5 else sentence(dice))
    return spelling(dice, text)


def a_list(dice: random.Random) -> str:
    """Things denied one after the other, and what may end the denial."""
    listed = [dice.choice(LIST_WORDS), *fillers(dice)]
    for _ in range(dice.choice((1, 1, 1, 2))):
        before = [*some_of(dice, BREAKERS, 0.25), *fillers(dice)]
        after = [*fillers(dice), *some_of(dice, AFTERWARDS, 0.4)]
        listed += [dice.choice(PIECE_JOINS), *before, phrase(dice), *after]
    return " ".join(listed)


def sentence(dice: random.Random) -> str:
    """A few clauses, joined by anything."""
    text = clause(dice)
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 3))):
        text += dice.choice(JOINS) + clause(dice)
    return text


def clause(dice: random.Random) -> str:
    """A phrase with what may stand before and after it, or a list member without one."""
    if dice.random() < 0.2:
        return " ".join([*some_of(dice, LIST_WORDS, 0.7), *fillers(dice)])
    words = [
        *fillers(dice),
        *some_of(dice, NEGATORS, 0.4),
        *fillers(dice),
        *some_of(dice, [word + dice.choice(ENDINGS) for word in BLOCKERS], 0.25),
        *fillers(dice),
        *some_of(dice, BREAKERS, 0.15),
        phrase(dice),
        *fillers(dice),
        *some_of(dice, AFTERWARDS, 0.2),
    ]
    return " ".join(words)


def phrase(dice: random.Random) -> str:
    """Mostly as listed; sometimes continued, cut short, or broken by a word."""
    words = dice.choice(PHRASES).split()
    fate = dice.random()
    if fate < 0.15:
        words[-1] += dice.choice(("s", "ce", "t", "ing", "'s", "x"))
    elif fate < 0.2:
        words[0] += "s"
    elif fate < 0.25:
        words.insert(dice.randrange(len(words) + 1), dice.choice(FILLERS))
    elif fate < 0.3:
        words[-1] = words[-1][:-1]
    elif fate < 0.35:
        words.insert(dice.randrange(len(words) + 1), dice.choice((",", ".", "and", "-", "but")))
    return " ".join(words)


def fillers(dice: random.Random) -> list[str]:
    return dice.choices(FILLERS, k=dice.choice((0, 0, 0, 0, 1, 2, 3, 4)))


def some_of(dice: random.Random, words: list[str], chance: float) -> list[str]:
    return [dice.choice(words)] if dice.random() < chance else []


def spelling(dice: random.Random, text: str) -> str:
    """The same words as other hands type them."""
    style = dice.random()
    if style < 0.15:
        return text.upper()
    if style < 0.25:
        return text.title()
    if style < 0.4:
        return text.replace("'", "\u2019")
    if style < 0.45:
        return text.replace(" ", "-")
    return text
