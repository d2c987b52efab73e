"""From a text to sentences of words (triage specification, part 4 step 9.1)."""

import re
import unicodedata
from collections.abc import Iterator

from .spelling import mended
from .word_lists import LISTS, Words

APOSTROPHES = "\u2019\u2018\u02bc\u2032\u00b4\u0060"
QUOTATION_MARKS = "\u201c\u201d\u201e\u00ab\u00bb"
TYPED = str.maketrans(dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(QUOTATION_MARKS, '"'))
SMALL = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}
SENTENCE_BREAK = re.compile(r"\n[ \t]*(?=\n|[-*\u2022]|[0-9]{1,2}[.)](?![0-9]))")
LOOSE_APOSTROPHE = re.compile(r"(?<![a-z0-9])'|'(?![a-z0-9])")
TOKEN = re.compile(
    r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+(?:\.[0-9]+)?|[a-z][a-z0-9]*(?:'[a-z0-9]+)*"
    r"|[.;!?()\[\]\"]|[,/:%]"
)
SENTENCE_ENDS = frozenset('.;!?()[]"')


def sentences(text: str) -> list[Words]:
    """The sentences that hold words, each word mended."""
    cut = [part for sentence in raw_sentences(plain(text)) for part in cut_at_words(usual_words(sentence))]
    return [[mended(word) for word in sentence] for sentence in cut if sentence]


def plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.translate(TYPED))
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    text = text.translate(TYPED).translate(SMALL).replace("\r\n", "\n").replace("\r", "\n")
    text = SENTENCE_BREAK.sub(".", text).replace("\n", " ")
    text = LOOSE_APOSTROPHE.sub('"', text)
    for short, long in LISTS["replace"].items():
        text = re.sub(f"(?<![a-z0-9]){re.escape(short)}(?![a-z0-9])", long, text)
    return text


def raw_sentences(text: str) -> Iterator[Words]:
    sentence: Words = []
    for piece in TOKEN.findall(text):
        if piece in SENTENCE_ENDS:
            yield sentence
            sentence = []
        elif piece == "/":
            sentence.append(",")
        else:
            sentence.append(piece.replace(",", "") if piece[0].isdigit() else piece)
    yield sentence


def usual_words(sentence: Words) -> Words:
    usual = {form: word for word, forms in LISTS["normal_forms"].items() for form in forms}
    left = [usual.get(word, word) for word in sentence]
    longer = [(entry.split(), word) for word, entries in LISTS["longer_forms"].items() for entry in entries]
    done: Words = []
    while left:
        found = next(((parts, word) for parts, word in longer if left[: len(parts)] == parts), (left[:1], left[0]))
        done.append(found[1])
        left = left[len(found[0]) :]
    return done


def cut_at_words(sentence: Words) -> Iterator[Words]:
    part: Words = []
    for word in sentence:
        if word in LISTS["sentence_words"]:
            yield part
            part = []
        else:
            part.append(word)
    yield part
