"""Teaches Schemathesis line-delimited JSON: one line, as the document describes it."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def as_line(_: Any, value: Any) -> bytes:
    """Return the value as the one line of a batch."""
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer("application/x-ndjson")
def first_line(_: Any, response: Any) -> Any:
    """Return what came of the first line."""
    return json.loads(response.content.splitlines()[0])
