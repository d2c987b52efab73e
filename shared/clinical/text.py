"""One spelling for texts that read alike: what a person cannot see in a text must not change what it says."""

import re
import unicodedata

# C0 and C1 controls, line and paragraph separators, and what turns the direction of writing around.
BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
LINE_SEPARATORS = "\u2028\u2029"
CONTROL = re.compile(f"[\x00-\x1f\x7f-\x9f{LINE_SEPARATORS}{BIDI}]")
CONTROL_IN_LINES = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{LINE_SEPARATORS}{BIDI}]")  # but tab, LF, CR

_SPACES = re.compile(r"\s+")


def normalise(text: str) -> str:
    """Return `text` in the normal form NFKC without format characters (general category Cf).

    Soft hyphens, zero-width and direction characters go; full-width letters become the usual ones. To do it twice is
    to do it once.
    """
    if text.isascii():
        return text
    # The normal form makes no format characters of others, and this way round what they kept apart composes.
    return unicodedata.normalize("NFKC", _without_format_characters(text))


def record_number(typed: str) -> str:
    """Return a record number as it is compared: normalised, without spaces around it, single ones within."""
    return _SPACES.sub(" ", normalise(typed)).strip()


def without_control_characters(text: str) -> str:
    """Return a text of several lines with a space for each control, direction and line-separator character."""
    return CONTROL_IN_LINES.sub(" ", text)


def _without_format_characters(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character) != "Cf")
