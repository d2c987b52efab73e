"""The same text as other hands, keyboards and programs write it: capitals, quotation marks, invisible characters."""

from collections.abc import Callable
from random import Random

APOSTROPHES = ("\u2019", "\u2018", "\u02bc", "\u2032", "\u00b4", "`", "\uff07")
QUOTES = ("'", '"', "\u201c", "\u201e", "\u00ab", "``", "\u2033")
INVISIBLE = ("\u00ad", "\u200b", "\u200d", "\u202a", "\ufeff", "\u2060")
SPACES = ("-", "\u00a0", "\t", "\u2009", "\n", "\r\n", "\r", " \n ", "\u3000", "\n\n", "\n-")
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def retyped(dice: Random, text: str) -> str:
    """The text in one of these ways, mostly as it is."""
    return dice.choice(WAYS)(dice, text) if dice.random() < 0.45 else text


def shouted(_: Random, text: str) -> str:
    return text.upper()


def titled(_: Random, text: str) -> str:
    return text.title()


def with_other_apostrophes(dice: Random, text: str) -> str:
    return text.replace("'", dice.choice(APOSTROPHES))


def quoted(dice: Random, text: str) -> str:
    """Quotation marks around some words."""
    words = text.split(" ")
    start = dice.randrange(len(words))
    end = dice.randrange(start, len(words))
    mark = dice.choice(QUOTES)
    words[start] = mark + words[start]
    words[end] += mark
    return " ".join(words)


def with_other_spaces(dice: Random, text: str) -> str:
    """One kind of space, in some places."""
    space = dice.choice(SPACES)
    return "".join(space if sign == " " and dice.random() < 0.3 else sign for sign in text)


def with_invisible_signs(dice: Random, text: str) -> str:
    sign = dice.choice(INVISIBLE)
    return "".join(letter + (sign if dice.random() < 0.1 else "") for letter in text)


def full_width(_: Random, text: str) -> str:
    return text.translate(FULL_WIDTH)


def accented(dice: Random, text: str) -> str:
    """A letter with an accent parts a word; a composed and a decomposed one are alike."""
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(("\u00e9", "e\u0301", "\u0130", "\ufb01", "\u00bd")) + text[at:]


WAYS: tuple[Callable[[Random, str], str], ...] = (
    shouted,
    titled,
    with_other_apostrophes,
    quoted,
    with_other_spaces,
    with_invisible_signs,
    full_width,
    accented,
)
