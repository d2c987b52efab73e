"""Answers as JSON: dates, times and ids in one way everywhere."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def dump(content: Any) -> bytes:
    """Return `content` as JSON; times in UTC with `Z`."""
    return orjson.dumps(content, option=OPTIONS)


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `content` as a response."""
    return Response(dump(content), status, headers, content_type="application/json")
