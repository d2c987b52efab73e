"""What a sentence says: phrases of the lists, pairs of them, and where they stand (triage specification, step 9.2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag, auto

from shared.clinical.text_check.word_lists import PhraseBook, WordList

Span = tuple[int, int]  # the first and the last word


class Mark(IntFlag):
    """The lists of single words in which a word stands."""

    PIECE = auto()  # a comma, or a word that begins a piece
    LIST_NEGATOR = auto()
    DIRECT_NEGATOR = auto()
    NOUN_BLOCKER = auto()
    ACT_BLOCKER = auto()
    STATE = auto()
    TIME = auto()
    INSIDE = auto()
    AFTER_LAST = auto()
    AFTER_NEAR = auto()
    AFTER_NOT = auto()
    OTHER_PERSON = auto()
    OWN_PERSON = auto()
    NOW = auto()
    OTHER_PLACE = auto()
    PAIN = auto()

    NEGATOR = LIST_NEGATOR | DIRECT_NEGATOR


class Marker:
    """Marks words; the same word has the same marks."""

    def __init__(self, lists: Mapping[Mark, Iterable[str]]) -> None:
        """Take the words of each mark."""
        self._lists = [(mark, WordList(words)) for mark, words in lists.items()]

    def marks(self, word: str) -> Mark:
        """Return in which lists a word stands."""
        found = Mark(0)
        for mark, words in self._lists:
            if words.fits(word):
                found |= mark
        return found


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words with their marks; a word is `bound` if it belongs to a phrase of several words."""

    words: Sequence[str]
    marks: Sequence[int]
    bound: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Finding:
    """One match of a group: the words from `lo` to `hi`, of which `own` belong to it; `anchor` is what is negated.

    `place` is where the first part of a pair begins if it stands behind the second one, otherwise None.
    """

    group: str
    lo: int
    hi: int
    anchor: int
    own: tuple[Span, ...]
    is_act: bool = False
    place: int | None = None

    def owns(self, at: int) -> bool:
        """Tell whether a word belongs to the finding itself."""
        return any(first <= at <= last for first, last in self.own)


@dataclass(frozen=True, slots=True)
class Innocent:
    """A word beside which a phrase of one word means something else."""

    word: WordList
    beside: int  # 1: the next word, -1: the previous one
    others: WordList


@dataclass(frozen=True, slots=True)
class Pair:
    """Two concepts that mean a group where at most `distance` words stand between them."""

    group: str
    first: str
    second: str
    distance: int
    has_other_places: bool


@dataclass(frozen=True, slots=True)
class Owner:
    """To whom a phrase belongs: a concept, or a group that it names by itself, as a noun or an act."""

    concept: str | None = None
    group: str | None = None
    is_act: bool = False


@dataclass(frozen=True)
class Finder:
    """Finds phrases and pairs in a sentence. Windows are numbers of words."""

    book: PhraseBook[Owner]
    pairs: Sequence[Pair]
    innocent: Sequence[Innocent]
    pain_before: int
    pain_after: int

    def findings(self, sentence: Sentence) -> Iterator[Finding]:
        """Yield every match of every group, and note in the sentence which words are bound."""
        spans: dict[str, list[Span]] = {}
        named: list[Finding] = []
        for at in range(len(sentence.words)):
            for length, owner in self.book.starting_at(sentence.words, at):
                if length == 1 and self._is_innocent(sentence.words, at):
                    continue
                last = at + length - 1
                if length > 1:
                    sentence.bound.update(range(at, last + 1))
                if owner.concept is not None:
                    spans.setdefault(owner.concept, []).append((at, last))
                elif owner.group is not None:
                    named.append(Finding(owner.group, at, last, at, ((at, last),), owner.is_act))
        yield from named
        for pair in self.pairs:
            if pair.first in spans and pair.second in spans:
                yield from self._paired(pair, spans[pair.first], spans[pair.second], sentence)

    def _is_innocent(self, words: Sequence[str], at: int) -> bool:
        for each in self.innocent:
            other = at + each.beside
            if 0 <= other < len(words) and each.word.fits(words[at]) and each.others.fits(words[other]):
                return True
        return False

    def _paired(
        self, pair: Pair, firsts: Sequence[Span], seconds: Sequence[Span], sentence: Sentence
    ) -> Iterator[Finding]:
        """Join what stands near enough; both lists are in the order of the words, so each is walked once."""
        longest = max(last - start for start, last in seconds) + 1
        begin = 0
        for first in firsts:
            i, j = first
            while begin < len(seconds) and seconds[begin][0] < i - pair.distance - longest:
                begin += 1
            for number in range(begin, len(seconds)):
                second = seconds[number]
                k, last = second
                if k - j - 1 > pair.distance:
                    break
                near = k > j or (last < i and i - last - 1 <= pair.distance)
                if near and not (pair.has_other_places and self._means_another_place(sentence, first, second)):
                    place = i if i > last else None
                    yield Finding(pair.group, min(i, k), max(j, last), k, (first, second), place=place)

    def _means_another_place(self, sentence: Sentence, first: Span, second: Span) -> bool:
        """Tell whether another place stands as near, and pain or the order of words says that it is meant."""
        (i, j), (k, last), marks = first, second, sentence.marks
        distance = k - j if j < k else i - last
        before = [at for at in range(max(0, k - distance), k) if marks[at] & Mark.OTHER_PLACE and not i <= at <= j]
        behind = [
            at
            for at in range(last + 1, min(len(marks), last + distance + 1))
            if marks[at] & Mark.OTHER_PLACE and not i <= at <= j
        ]
        if not before and not behind:
            return False
        around = (*marks[max(0, i - self.pain_before) : i], *marks[j + 1 : j + 1 + self.pain_after])
        if any(mark & Mark.PAIN for mark in around):
            return True
        return j < k and any(not any(mark & Mark.PIECE for mark in marks[last + 1 : at]) for at in behind)
