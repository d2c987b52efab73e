"""One spelling for characters that look alike: quotation marks, full-width letters, invisible characters (step 9.1)."""

import unicodedata
from itertools import groupby

_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u2019\u2018\u02bc\u2032\u00b4\u0060", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
    }
)
_SMALL = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_LONG_RUN = 30  # marks on one letter; no language has as many


def normal_form(text: str) -> str:
    """Return `text` in NFKC without format characters, small letters a-z, plain quotation marks and line ends."""
    text = text.translate(_QUOTES)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _with_short_runs(text))
        formats = [each for each in set(text) if unicodedata.category(each) == "Cf"]
        text = text.translate({**_QUOTES, **dict.fromkeys(map(ord, formats))})
    return text.translate(_SMALL).replace("\r\n", "\n").replace("\r", "\n")


def _with_short_runs(text: str) -> str:
    """Put long runs of combining marks in their canonical order; the normal form stays the same.

    `unicodedata` orders a run by insertion, in quadratic time; a run in order costs it linear time.
    """
    if _longest_run(text) <= _LONG_RUN:
        return text
    decomposed = "".join(unicodedata.normalize("NFKD", each) for each in text)
    runs = groupby(decomposed, key=lambda each: unicodedata.combining(each) > 0)
    return "".join("".join(sorted(run, key=unicodedata.combining) if marks else run) for marks, run in runs)


def _longest_run(text: str) -> int:
    """Return how many characters at most follow one another that are marks, or become letters with marks."""
    marked = {each for each in set(text) if any(map(unicodedata.combining, unicodedata.normalize("NFKD", each)))}
    longest = run = 0
    for each in text:
        run = run + 1 if each in marked else 0
        longest = max(longest, run)
    return longest
