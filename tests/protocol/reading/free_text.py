"""Danger phrases in the free text (triage specification, part 4 step 9)."""

import re
import unicodedata

from .answers import Answers
from .phrases import (
    ACTION_BLOCKERS,
    FEEL_NEGATORS,
    FEEL_PHRASES,
    GROUPS,
    LIST_BREAKERS_AFTER,
    LIST_BREAKERS_BEFORE,
    LIST_NEGATORS,
    NOUN_BLOCKERS,
    PIECE_WORDS,
    SENTENCE_WORDS,
    VERB_NEGATORS,
)

Words = list[str]
Sentence = list[Words]
SAID = ("new_or_worse", "longstanding_unchanged", "present")
NEGATORS = LIST_NEGATORS | VERB_NEGATORS


def conflicting_groups(a: Answers) -> set[str]:
    """The groups with an un-negated phrase and no box that already says so."""
    silenced = {group.name for group in GROUPS if any(a.says(box, *SAID) for box in group.boxes)}
    return phrase_groups(a.free_text) - silenced


def phrase_groups(text: str) -> set[str]:
    """The groups with an un-negated phrase, whatever the boxes say."""
    sentences = sentences_of(text) if text else []
    return {
        group.name for group in GROUPS if any(mentions(sentence, group.nouns, group.actions) for sentence in sentences)
    }


def sentences_of(text: str) -> list[Sentence]:
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    plain = unicodedata.normalize("NFKC", visible).lower().replace("\u2018", "'").replace("\u2019", "'")
    found: list[Sentence] = []
    for stretch in (part for line in plain.splitlines() for part in re.split(r'[.;:!?()\[\]"]', line)):
        pieces = [re.sub(r"[^a-z0-9']", " ", part).split() for part in re.split(r"[,/]", stretch)]
        found.extend(cut_at_words(pieces))
    return found


def cut_at_words(pieces: list[Words]) -> list[Sentence]:
    """Start a sentence at each sentence word and a piece at each piece word; the words themselves vanish."""
    sentences: list[Sentence] = [[]]
    for piece in pieces:
        sentences[-1].append([])
        for word in piece:
            if word in SENTENCE_WORDS:
                sentences.append([[]])
            elif word in PIECE_WORDS:
                sentences[-1].append([])
            else:
                sentences[-1][-1].append(word)
    return sentences


def mentions(sentence: Sentence, nouns: list[Words], actions: list[Words]) -> bool:
    return any(
        any(counts_as_noun(sentence, number, start, phrase) for phrase in nouns for start in at(piece, phrase))
        or any(counts_as_action(piece, start, phrase) for phrase in actions for start in at(piece, phrase))
        for number, piece in enumerate(sentence)
    )


def at(piece: Words, phrase: Words) -> list[int]:
    """Where the phrase starts: all words exact, the last one may go on."""
    length = len(phrase)
    return [
        start
        for start in range(len(piece) - length + 1)
        if piece[start : start + length - 1] == phrase[:-1] and piece[start + length - 1].startswith(phrase[-1])
    ]


def counts_as_noun(sentence: Sentence, number: int, start: int, phrase: Words) -> bool:
    piece = sentence[number]
    before, after = piece[:start], piece[start + len(phrase) :]
    return not negated(before, NOUN_BLOCKERS) and not negated_by_list(sentence[:number], before, after)


def counts_as_action(piece: Words, start: int, phrase: Words) -> bool:
    before = piece[:start]
    if phrase in FEEL_PHRASES:
        return any(word in FEEL_NEGATORS for word in before)
    return not negated(before[-3:], ACTION_BLOCKERS)


def negated(before: Words, blockers: tuple[str, ...]) -> bool:
    """A negator in these words with no blocker between it and the phrase, which follows them."""
    for word in reversed(before):
        if word in NEGATORS:
            return True
        if word.startswith(blockers):
            return False
    return False


def negated_by_list(earlier: Sentence, before: Words, after: Words) -> bool:
    return (
        any(word in LIST_NEGATORS for piece in earlier for word in piece)
        and not any(word in LIST_BREAKERS_BEFORE for word in before)
        and not any(word in LIST_BREAKERS_AFTER for word in after[:4])
    )
