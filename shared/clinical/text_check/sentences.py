"""Cuts a text into sentences of words (triage specification, part 4, step 9.1)."""

import re
from collections.abc import Iterator, Mapping, Sequence

from shared.clinical.text_check.normal_form import normal_form
from shared.clinical.text_check.spelling import Speller

_SENTENCE_ENDS = frozenset('.;!?()[]"')
_PARAGRAPH = re.compile(r"\n[ \t]*(?=\n|[-*\u2022]|[0-9]{1,2}[.)](?![0-9]))")
_QUOTE = re.compile(r"(?<![a-z0-9])'|'(?![a-z0-9])")
_TOKEN = re.compile(
    r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+(?:\.[0-9]+)?|[a-z][a-z0-9]*(?:'[a-z0-9]+)*"
    r"|[.;!?()\[\]\"]|[,/:%]"
)


class Sentences:
    """The way from characters to words: replacements, other forms of words, spelling."""

    def __init__(
        self,
        *,
        replace: Mapping[str, str],
        normal_forms: Mapping[str, Sequence[str]],
        longer_forms: Mapping[str, Sequence[str]],
        sentence_words: Sequence[str],
        speller: Speller,
    ) -> None:
        """Take the lists of part 9.3 by their names."""
        self._replace = dict(replace)
        alternatives = "|".join(map(re.escape, replace))
        self._replaced = re.compile(rf"(?<![a-z0-9])(?:{alternatives})(?![a-z0-9])") if replace else None
        self._forms = {form: word for word, forms in normal_forms.items() for form in forms}
        self._longer: dict[str, list[tuple[list[str], str]]] = {}
        for word, forms in longer_forms.items():
            for form in forms:
                first, *others = form.split()
                self._longer.setdefault(first, []).append((others, word))
        self._ends = frozenset(sentence_words)
        self._speller = speller

    def of(self, text: str) -> Iterator[list[str]]:
        """Yield the sentences of a text that have words."""
        mended: dict[str, str] = {}
        for sentence in self._raw(self._prepared(text)):
            for words in self._pieces(self._joined(sentence)):
                for word in words:
                    if word not in mended:
                        mended[word] = self._speller.mend(word)
                yield [mended[word] for word in words]

    def _prepared(self, text: str) -> str:
        text = _PARAGRAPH.sub(".", normal_form(text)).replace("\n", " ")
        text = _QUOTE.sub('"', text)
        return self._replaced.sub(lambda found: self._replace[found[0]], text) if self._replaced else text

    def _raw(self, text: str) -> Iterator[list[str]]:
        sentence: list[str] = []
        for token in _TOKEN.findall(text):
            if token in _SENTENCE_ENDS:
                yield sentence
                sentence = []
            elif token == "/":  # noqa: S105 - a token of text
                sentence.append(",")
            else:
                sentence.append(token.replace(",", "") if len(token) > 1 else token)
        yield sentence

    def _joined(self, sentence: list[str]) -> list[str]:
        words = [self._forms.get(word, word) for word in sentence]
        joined: list[str] = []
        at = 0
        while at < len(words):
            for others, word in self._longer.get(words[at], ()):
                if words[at + 1 : at + 1 + len(others)] == others:
                    joined.append(word)
                    at += 1 + len(others)
                    break
            else:
                joined.append(words[at])
                at += 1
        return joined

    def _pieces(self, words: list[str]) -> Iterator[list[str]]:
        piece: list[str] = []
        for word in words:
            if word in self._ends:
                if piece:
                    yield piece
                piece = []
            else:
                piece.append(word)
        if piece:
            yield piece
