"""Reads the lines of a batch: each is a form with its name, or has a problem of its own."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from services.api.context import AppContext
from services.api.forms.receive_form import read_form
from services.api.http.parsing import strict_json
from services.api.http.problems import InvalidError, ProblemError
from services.api.intakes.build_intake import build_intake
from services.api.intakes.idempotency import idempotency_key
from shared.store.insert_batch import NamedIntake

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


def read_lines(context: AppContext, lines: list[bytes], facility: str) -> Iterator[NamedIntake | ProblemError]:
    """Yield what `facility` is to have stored of each line, or what is wrong with it. Nothing is stored yet."""
    now = context.now()
    for line in lines:
        try:
            yield _read(context, line, facility, now)
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
    if len(value[FORMS]) > MAX_LINES:
        raise ProblemError(413, f"A batch has at most {MAX_LINES} forms.")
    return list(value[FORMS])


def read_forms(context: AppContext, items: list[Any], facility: str) -> Iterator[NamedIntake | ProblemError]:
    """Yield of each item of a batch in one JSON value what `read_lines` yields of a line."""
    now = context.now()
    for item in items:
        try:
            if len(orjson.dumps(item)) > strict_json.MAX_BYTES:
                raise _too_long()
            yield _read_item(context, item, facility, now)
        except ProblemError as problem:
            yield problem


def name_of(item: Any) -> str | None:
    """Return the idempotency key of an item, where it is one."""
    try:
        return idempotency_key(item.get("idempotency_key")) if isinstance(item, dict) else None
    except ProblemError:
        return None


def _read(context: AppContext, content: bytes, facility: str, now: datetime) -> NamedIntake:
    if len(content) > strict_json.MAX_BYTES:
        raise _too_long()
    return _read_item(context, strict_json.value_of(content), facility, now)


def _too_long() -> ProblemError:
    return ProblemError(413, f"The line is longer than {strict_json.MAX_BYTES // 1024} KiB.")


def _read_item(context: AppContext, line: Any, facility: str, now: datetime) -> NamedIntake:
    if not isinstance(line, dict) or "form" not in line or not line.keys() <= MEMBERS:
        raise ProblemError(
            400, "A line is an object with a form and, if you like, an idempotency_key.", kind="invalid-line"
        )
    key = idempotency_key(line.get("idempotency_key"))
    new = build_intake(context, read_form(context, line["form"], now), facility)
    if key is None and new.external_id is None:
        raise ProblemError(
            422,
            "A line needs an idempotency_key or an encounter.external_id, so that it can be sent again.",
            kind="missing-idempotency-key",
        )
    return NamedIntake(new, key)
