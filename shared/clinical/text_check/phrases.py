"""Danger phrases in the free text, unless it says that they are absent: the check of versions before 2026.2.0."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from shared.clinical.fields import Answer
from shared.clinical.text import normalise
from shared.clinical.text_check.check import TextFindings

_LINE_ENDS = "\n\r\v\f\x85\u2028\u2029"

Piece = list[str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another; the last one may continue. A noun phrase is negated otherwise than an action."""

    group: str
    words: tuple[str, ...]
    is_noun: bool

    def begins_at(self, piece: Piece, start: int) -> bool:
        """Tell whether the phrase stands in `piece` from word `start` on."""
        *exact, last = self.words
        end = start + len(exact)
        return end < len(piece) and piece[start:end] == exact and piece[end].startswith(last)


@dataclass(frozen=True)
class Phrases:
    """All phrases, and the words that take them back.

    `boxes` names the fields beside a group; one of them answered with `silenced_by` says already what the text says.
    The remaining lists are those of the specification, by the same names as in `phrases.yaml`.
    """

    phrases: tuple[Phrase, ...]
    boxes: Mapping[str, tuple[str, ...]]
    silenced_by: frozenset[Answer]
    sentence_characters: str
    sentence_words: frozenset[str]
    piece_characters: str
    piece_words: frozenset[str]
    list_negators: frozenset[str]
    verb_negators: frozenset[str]
    negator_reach: int
    noun_blockers: tuple[str, ...]
    action_blockers: tuple[str, ...]
    list_not_after: frozenset[str]
    list_not_before: frozenset[str]
    list_reach: int
    only_negated: frozenset[tuple[str, ...]]
    only_negated_words: frozenset[str]

    def silenced(self, group: str, answers: Mapping[str, Answer]) -> bool:
        """Tell whether an answer beside the group says already what its phrases say."""
        return any(answers.get(box) in self.silenced_by for box in self.boxes[group])

    def findings(self, text: str, today: date) -> TextFindings:  # noqa: ARG002 - a list of phrases knows no dates
        """Return what a text asserts, as the check of later versions does."""
        return TextFindings(find(text, self))

    @cached_property
    def token(self) -> re.Pattern[str]:
        """Return what a text is made of: words, ends of sentences, ends of pieces. All else is space."""
        sentence, piece = re.escape(self.sentence_characters + _LINE_ENDS), re.escape(self.piece_characters)
        return re.compile(rf"(?P<word>[a-z0-9']+)|(?P<sentence>[{sentence}])|(?P<piece>[{piece}])")

    @cached_property
    def by_first_word(self) -> Mapping[str, tuple[Phrase, ...]]:
        """Return the phrases of several words by their first one, which is exact."""
        longer = [each for each in self.phrases if len(each.words) > 1]
        return {word: tuple(e for e in longer if e.words[0] == word) for word in {e.words[0] for e in longer}}

    @cached_property
    def single_words(self) -> tuple[Phrase, ...]:
        """Return the phrases of one word, which may continue."""
        return tuple(each for each in self.phrases if len(each.words) == 1)


def find(text: str, phrases: Phrases) -> tuple[str, ...]:
    """Return the groups with at least one phrase in `text` that is not negated, in the protocol's order."""
    found: set[str] = set()
    for sentence in _sentences(text, phrases):
        listed = False  # a list negator stands in an earlier piece of this sentence
        for piece in sentence:
            for phrase, at in _occurrences(piece, phrases):
                if phrase.group not in found and _counts(phrase, at, piece, listed, phrases):
                    found.add(phrase.group)
            listed = listed or not phrases.list_negators.isdisjoint(piece)
    return tuple(group for group in phrases.boxes if group in found)


def _plain(text: str) -> str:
    return normalise(text).lower().replace("\u2018", "'").replace("\u2019", "'")


def _sentences(text: str, phrases: Phrases) -> Iterator[list[Piece]]:
    sentence: list[Piece] = [[]]
    for token in phrases.token.finditer(_plain(text)):
        word = token["word"]
        if token["sentence"] or word in phrases.sentence_words:
            yield sentence
            sentence = [[]]
        elif token["piece"] or word in phrases.piece_words:
            sentence.append([])
        else:
            sentence[-1].append(word)
    yield sentence


def _occurrences(piece: Piece, phrases: Phrases) -> Iterator[tuple[Phrase, int]]:
    for at, word in enumerate(piece):
        for each in (*phrases.by_first_word.get(word, ()), *phrases.single_words):
            if each.begins_at(piece, at):
                yield each, at


def _counts(phrase: Phrase, at: int, piece: Piece, listed: bool, phrases: Phrases) -> bool:
    before, after = piece[:at], piece[at + len(phrase.words) :]
    if phrase.words in phrases.only_negated:
        return not phrases.only_negated_words.isdisjoint(before)
    if _negated_directly(phrase, before, phrases):
        return False
    return not (listed and phrase.is_noun and _negated_by_list(before, after, phrases))


def _negated_directly(phrase: Phrase, before: Sequence[str], phrases: Phrases) -> bool:
    blockers = phrases.noun_blockers if phrase.is_noun else phrases.action_blockers
    near = before if phrase.is_noun else before[-phrases.negator_reach :]
    for word in reversed(near):
        if word in phrases.list_negators or word in phrases.verb_negators:
            return True
        if word.startswith(blockers):
            return False
    return False


def _negated_by_list(before: Sequence[str], after: Sequence[str], phrases: Phrases) -> bool:
    return phrases.list_not_after.isdisjoint(before) and phrases.list_not_before.isdisjoint(after[: phrases.list_reach])
