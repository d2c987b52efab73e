"""Reads the lines of a batch: each is a form with its name, or has a problem of its own."""

from collections.abc import Iterator
from datetime import datetime

from services.api.context import AppContext
from services.api.forms.receive_form import read_form
from services.api.http.parsing import strict_json
from services.api.http.problems import ProblemError
from services.api.intakes.build_intake import build_intake
from services.api.intakes.idempotency import idempotency_key
from shared.store.insert_batch import NamedIntake

MAX_LINES = 1_000
MEMBERS = {"idempotency_key", "form"}


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


def _read(context: AppContext, content: bytes, facility: str, now: datetime) -> NamedIntake:
    if len(content) > strict_json.MAX_BYTES:
        raise ProblemError(413, f"The line is longer than {strict_json.MAX_BYTES // 1024} KiB.")
    line = strict_json.value_of(content)
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
