"""References: how people name a referral, `R-7K3M-9Q4M`, with a check symbol that catches what was typed wrongly.

Seven random symbols of Crockford's base32 and their check (Luhn mod 32). The database makes them: migration 0010.
"""

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O or U
LENGTH = 8  # with the check symbol
PREFIX = "R"
_TYPED = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


class BadReferenceError(ValueError):
    """The text is no reference, or a symbol of it is wrong."""


def read_reference(typed: str) -> str:
    """Return the reference that was typed in any case, with or without hyphens; raises BadReferenceError."""
    symbols = typed.strip().upper().translate(_TYPED)
    if len(symbols) == LENGTH + 1 and symbols.startswith(PREFIX):
        symbols = symbols.removeprefix(PREFIX)
    if len(symbols) != LENGTH or not set(symbols) <= set(SYMBOLS) or _sum(symbols) % len(SYMBOLS):
        raise BadReferenceError
    return f"{PREFIX}-{symbols[:4]}-{symbols[4:]}"


def _sum(symbols: str) -> int:
    """Return the Luhn sum, which the check symbol brings to a multiple of 32: every second symbol counts twice."""
    codes = [SYMBOLS.index(symbol) * (1 + place % 2) for place, symbol in enumerate(reversed(symbols))]
    return sum(sum(divmod(code, len(SYMBOLS))) for code in codes)
