"""Parses a batch: splits it into lines, and each line into its form and its idempotency key."""

from typing import Any

from services.api.http.parsing import strict_json
from services.api.http.problems import ProblemError
from services.api.intakes.idempotency import idempotency_key

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


def parse_line(content: bytes) -> tuple[Any, str | None]:
    """Return the form of a line, still to be validated, and its idempotency key; raises ProblemError 400 or 413."""
    if len(content) > strict_json.MAX_BYTES:
        raise ProblemError(413, f"The line is longer than {strict_json.MAX_BYTES // 1024} KiB.")
    line = strict_json.value_of(content)
    if not isinstance(line, dict) or "form" not in line or not line.keys() <= MEMBERS:
        raise ProblemError(
            400, "A line is an object with a form and, if you like, an idempotency_key.", kind="invalid-line"
        )
    return line["form"], idempotency_key(line.get("idempotency_key"))
