"""Parses a batch, NDJSON or one JSON value, into items, and each item into its form and its idempotency key."""

from collections.abc import Sequence
from typing import Any

import orjson

from services.api.http.parsing import strict_json
from services.api.http.problems import InvalidError, ProblemError
from services.api.intakes.idempotency import idempotency_key

MAX_LINES = 1_000
MEMBERS = {"idempotency_key", "form"}
FORMS = "forms"


def split_lines(content: bytes) -> list[bytes]:
    """Return the lines, at least one; raises ProblemError 400 or 413. Blank ones at the end do not count."""
    lines = content.split(b"\n", MAX_LINES + 1)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ProblemError(400, "A batch has at least one line.", kind="empty-batch")
    if len(lines) > MAX_LINES:
        raise ProblemError(413, f"A batch has at most {MAX_LINES} lines.")
    return lines


def split_forms(content: bytes) -> Sequence[Any]:
    """Return the items of a batch in one JSON value, at least one; raises ProblemError 400, 413 or 422."""
    value = strict_json.value_of(content)
    if not isinstance(value, dict):
        raise InvalidError([("", "Has to be an object with `forms`.")])
    if value.keys() - {FORMS}:
        raise InvalidError([("", "Has to have `forms` and nothing else.")])
    items = value.get(FORMS)
    if not isinstance(items, list):
        raise InvalidError([(f"/{FORMS}", "Has to be a list.")])
    if not items:
        raise ProblemError(400, "A batch has at least one form.", kind="empty-batch")
    if len(items) > MAX_LINES:
        raise ProblemError(413, f"A batch has at most {MAX_LINES} forms.")
    return items


def parse_line(content: bytes) -> tuple[Any, str | None]:
    """Return the form of a line, still to be validated, and its idempotency key; raises ProblemError 400 or 413."""
    if len(content) > strict_json.MAX_BYTES:
        raise _too_long()
    return _form_and_key(strict_json.value_of(content))


def parse_form(item: Any) -> tuple[Any, str | None]:
    """Do with an item of a JSON batch what `parse_line` does with a line."""
    if len(orjson.dumps(item)) > strict_json.MAX_BYTES:
        raise _too_long()
    return _form_and_key(item)


def name_of(item: Any) -> str | None:
    """Return the idempotency key of an item, where it is one."""
    try:
        return idempotency_key(item.get("idempotency_key")) if isinstance(item, dict) else None
    except ProblemError:
        return None


def _form_and_key(item: Any) -> tuple[Any, str | None]:
    if not isinstance(item, dict) or "form" not in item or not item.keys() <= MEMBERS:
        raise ProblemError(
            400, "A line is an object with a form and, if you like, an idempotency_key.", kind="invalid-line"
        )
    return item["form"], idempotency_key(item.get("idempotency_key"))


def _too_long() -> ProblemError:
    return ProblemError(413, f"The line is longer than {strict_json.MAX_BYTES // 1024} KiB.")
