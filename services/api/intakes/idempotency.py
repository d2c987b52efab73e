"""Validates idempotency keys, from the header and from lines of a batch."""

import re

from services.api.http.problems import ProblemError

MAX_LENGTH = 255

_VISIBLE = re.compile(rf"[\x21-\x7e]{{1,{MAX_LENGTH}}}")


def idempotency_key(given: object) -> str | None:
    """Return the key that was given, if any; raise ProblemError 400 for what is none."""
    if given is None or (isinstance(given, str) and _VISIBLE.fullmatch(given)):
        return given
    raise ProblemError(400, f"An Idempotency-Key has 1 to {MAX_LENGTH} visible characters.", kind="idempotency-key")
