"""Reads a request's body as strict JSON: what two parsers could read differently is refused.

What is no JSON, or not the same JSON to everybody, is 400; what is JSON but impossible here is left to the schemas.
"""

import json
import math
import re
from itertools import accumulate
from typing import IO, Any, NoReturn

from flask import Request, g

from services.api.admission.body_limits import DEADLINE_SECONDS
from services.api.admission.overdue_bodies import in_time
from services.api.context import current_context
from services.api.http.client_address import client_address
from services.api.http.problems import ProblemError

MAX_BYTES = 65_536
MAX_EXTRA_BYTES = 15 * MAX_BYTES  # read all the same: a sender who is cut off in mid-body may miss the answer
CHUNK = 16_384
MAX_DEPTH = 12
MAX_INTEGER = 2**53
MAX_INTEGER_DIGITS = 20  # digits; more would only cost time, as anything beyond 2**53 is refused later

BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Possessive, and the last quote may be absent: an unclosed string is one match up to the end, never tried again.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = b"[{]}"
_STEPS = bytes.maketrans(_BRACKETS, b"\x01\x01\xff\xff")  # as signed bytes: one level down, one level up
_OTHER_BYTES = bytes(set(range(256)) - set(_BRACKETS))


class NotStrictError(ValueError):
    """The text is not strict JSON; the message says why."""


def read(request: Request) -> Any:
    """Return the JSON value of the body; raises ProblemError 400, 413 or 415."""
    return value_of(content_of(request, "application/json", MAX_BYTES))


def value_of(content: bytes) -> Any:
    """Return the JSON value of `content`; raises ProblemError 400."""
    try:
        return parse(content)
    except NotStrictError as error:
        raise _problem(error) from None


def content_of(request: Request, media_type: str, most: int, seconds: float = DEADLINE_SECONDS) -> bytes:
    """Return the body, at most `most` bytes; raises ProblemError 400, 413 or 415, or 408 after `seconds`.

    429 or 503 where too many bodies are incomplete, this one too.
    """
    if request.mimetype != media_type or _charset(request) not in ("", "utf-8"):
        raise ProblemError(415, f"Send {media_type}, in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProblemError(415, "Send the body without content coding.")
    try:
        address = client_address(request, current_context().settings.trusted_proxies)
        stream, promised = request.stream, request.content_length
        with current_context().bodies.reading(key=g.key.id, address=address, seconds=seconds) as allowance:
            return in_time(lambda: _content(stream, promised, most), allowance)
    except NotStrictError as error:
        raise _problem(error) from None


def parse(content: bytes) -> Any:
    """Return the value of `content`; raises NotStrictError."""
    if content.startswith(BOM):
        raise NotStrictError("The body starts with a byte order mark.")
    try:
        text = content.decode()
        _refuse_depth(content)
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise NotStrictError("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise NotStrictError(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from None
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def _problem(error: NotStrictError) -> ProblemError:
    return ProblemError(400, str(error), kind="not-strict-json")


def _content(stream: IO[bytes], promised: int | None, most: int) -> bytes:
    """Count the bytes that come, whatever the headers promise: a body in chunks promises nothing."""
    content = bytearray()
    while len(content) != promised and (more := stream.read(CHUNK)):
        content += more
        if len(content) > most + MAX_EXTRA_BYTES:
            break
    if len(content) > most:
        raise ProblemError(413, f"The body is larger than {most // 1024} KiB.")
    if len(content) < (promised or 0):
        raise NotStrictError("The body is shorter than its Content-Length.")  # what was cut off, nobody knows
    return bytes(content)


def _charset(request: Request) -> str:
    return request.mimetype_params.get("charset", "").lower()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise NotStrictError("A key stands twice in the same object.")
    return content


def _integer(digits: str) -> int:
    return int(digits) if len(digits) < MAX_INTEGER_DIGITS else MAX_INTEGER + 1


def _float(digits: str) -> float:
    """Read 3.0 as 3: the same number is the same body, however it is written."""
    number = float(digits)
    if number.is_integer():
        return int(number) if -MAX_INTEGER <= number <= MAX_INTEGER else number
    if math.isinf(number):
        raise NotStrictError("A number is too large.")
    return number


def _constant(name: str) -> NoReturn:
    raise NotStrictError(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _refuse_depth(content: bytes) -> None:
    """Refuse what is nested too deep before the decoder, which recurses, sees it: one pass, in linear time."""
    if content.count(b"{") + content.count(b"[") <= MAX_DEPTH:
        return  # most bodies; the scan is for the others
    steps = _STRING.sub(b"", content).translate(_STEPS, _OTHER_BYTES)
    if max(accumulate(memoryview(steps).cast("b")), default=0) > MAX_DEPTH:
        raise NotStrictError(f"The body is nested more than {MAX_DEPTH} deep.")


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NotStrictError("A lone surrogate is no character.") from None
