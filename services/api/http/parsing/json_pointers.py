"""Turns marshmallow's nested messages into pairs of a JSON pointer (RFC 6901) and what is wrong there."""

import re
from collections.abc import Iterator
from typing import Any

_NAMEABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OBJECT_ITSELF = "_schema"


def errors_of(messages: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Yield each error; an error at a key that a sender chose points to the object that holds the key."""
    if not isinstance(messages, dict):
        yield from ((pointer, message) for message in messages)
        return
    for key, inner in messages.items():
        if key == _OBJECT_ITSELF:
            yield from errors_of(inner, pointer)
        elif _NAMEABLE.fullmatch(str(key)):
            yield from errors_of(inner, f"{pointer}/{key}")
        else:
            yield pointer, "Holds a key that is not known."
