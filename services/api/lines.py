"""Reads the lines of a batch: each is a form with its name, or has a problem of its own."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from services.api import strict_json
from services.api.forms import read_form
from services.api.idempotency import idempotency_key
from services.api.parts import Parts
from services.api.problems import InvalidError, ProblemError
from services.api.sealing import new_intake
from shared.store.batches import Named

MOST_LINES = 1_000
MEMBERS = {"idempotency_key", "form"}
FORMS = "forms"


def lines_of(content: bytes) -> list[bytes]:
    """Return the lines, at least one; raises ProblemError 400 or 413. Blank ones at the end do not count."""
    lines = content.split(b"\n", MOST_LINES + 1)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ProblemError(400, "A batch has at least one line.", kind="empty-batch")
    if len(lines) > MOST_LINES:
        raise ProblemError(413, f"A batch has at most {MOST_LINES} lines.")
    return lines


def read_lines(parts: Parts, lines: list[bytes], facility: str) -> Iterator[Named | ProblemError]:
    """Yield what `facility` is to have stored of each line, or what is wrong with it. Nothing is stored yet."""
    now = parts.now()
    for line in lines:
        try:
            yield _read(parts, line, facility, now)
        except ProblemError as problem:
            yield problem


def forms_of(content: bytes) -> list[Any]:
    """Return the items of a batch in one JSON value, at least one; raises ProblemError 400, 413 or 422."""
    value = strict_json.value_of(content)
    if not isinstance(value, dict):
        raise InvalidError([("", "Has to be an object with `forms`.")])
    if value.keys() - {FORMS}:
        raise InvalidError([("", "Has to have `forms` and nothing else.")])
    if not isinstance(value.get(FORMS), list):
        raise InvalidError([(f"/{FORMS}", "Has to be a list.")])
    if not value[FORMS]:
        raise ProblemError(400, "A batch has at least one form.", kind="empty-batch")
    if len(value[FORMS]) > MOST_LINES:
        raise ProblemError(413, f"A batch has at most {MOST_LINES} forms.")
    return list(value[FORMS])


def read_forms(parts: Parts, items: list[Any], facility: str) -> Iterator[Named | ProblemError]:
    """Yield of each item of a batch in one JSON value what `read_lines` yields of a line."""
    now = parts.now()
    for item in items:
        try:
            if len(orjson.dumps(item)) > strict_json.MOST_BYTES:
                raise _too_long()
            yield _read_item(parts, item, facility, now)
        except ProblemError as problem:
            yield problem


def name_of(item: Any) -> str | None:
    """Return the idempotency key of an item, where it is one."""
    try:
        return idempotency_key(item.get("idempotency_key")) if isinstance(item, dict) else None
    except ProblemError:
        return None


def _read(parts: Parts, content: bytes, facility: str, now: datetime) -> Named:
    if len(content) > strict_json.MOST_BYTES:
        raise _too_long()
    return _read_item(parts, strict_json.value_of(content), facility, now)


def _too_long() -> ProblemError:
    return ProblemError(413, f"The line is longer than {strict_json.MOST_BYTES // 1024} KiB.")


def _read_item(parts: Parts, line: Any, facility: str, now: datetime) -> Named:
    if not isinstance(line, dict) or "form" not in line or not line.keys() <= MEMBERS:
        raise ProblemError(
            400, "A line is an object with a form and, if you like, an idempotency_key.", kind="not-a-line"
        )
    key = idempotency_key(line.get("idempotency_key"))
    new = new_intake(parts, read_form(parts, line["form"], now), facility)
    if key is None and new.external_id is None:
        raise ProblemError(
            422,
            "A line needs an idempotency_key or an encounter.external_id, so that it can be sent again.",
            kind="nameless-line",
        )
    return Named(new, key)
