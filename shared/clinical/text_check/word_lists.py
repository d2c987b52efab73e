"""Lists of words and phrases as a protocol states them, prepared so that a lookup takes the same time for any list."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

STAR = "*"  # at the end of a word: and whatever follows

Words = Sequence[str]
Owner = TypeVar("Owner")


class WordList:
    """Words, some of them beginnings of words."""

    __slots__ = ("_beginnings", "_lengths", "_whole")

    def __init__(self, words: Iterable[str]) -> None:
        """Take words such as `leg` and `buttock*`."""
        words = tuple(words)
        self._whole = frozenset(word for word in words if not word.endswith(STAR))
        self._beginnings = frozenset(word[:-1] for word in words if word.endswith(STAR))
        self._lengths = tuple(sorted({len(each) for each in self._beginnings}))

    def fits(self, word: str) -> bool:
        """Tell whether a word stands in the list."""
        return word in self._whole or any(word[:length] in self._beginnings for length in self._lengths)


class PhraseBook(Generic[Owner]):
    """Phrases of one or more words, each with its owner, found by their first word."""

    def __init__(self, phrases: Iterable[tuple[str, Owner]]) -> None:
        """Take phrases such as `inner thigh*`, words separated by spaces."""
        self._whole: dict[str, list[_Phrase[Owner]]] = {}
        self._beginnings: dict[str, list[_Phrase[Owner]]] = {}
        for text, owner in phrases:
            first, *others = text.split()
            phrase = _Phrase(owner, len(others) + 1, tuple(WordList([other]) for other in others))
            place, key = (self._beginnings, first[:-1]) if first.endswith(STAR) else (self._whole, first)
            place.setdefault(key, []).append(phrase)
        self._lengths = tuple(sorted({len(each) for each in self._beginnings}))

    def starting_at(self, words: Words, start: int) -> Iterator[tuple[int, Owner]]:
        """Yield length and owner of each phrase that stands at `start`."""
        first = words[start]
        yield from self._that_fit(self._whole.get(first, ()), words, start)
        for length in self._lengths:
            yield from self._that_fit(self._beginnings.get(first[:length], ()), words, start)

    @staticmethod
    def _that_fit(phrases: Iterable["_Phrase[Owner]"], words: Words, start: int) -> Iterator[tuple[int, Owner]]:
        for phrase in phrases:
            following = words[start + 1 : start + phrase.length]
            if len(following) == len(phrase.others) and all(
                other.fits(word) for other, word in zip(phrase.others, following, strict=True)
            ):
                yield phrase.length, phrase.owner


@dataclass(frozen=True, slots=True)
class _Phrase(Generic[Owner]):
    owner: Owner
    length: int
    others: tuple[WordList, ...]
