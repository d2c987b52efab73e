"""Forms mutated from worked cases, for a minute: the parser refuses them or the decision holds; nothing breaks."""

import copy
import json
import random
import sys
import time
from pathlib import Path

import pytest

from services.api.context import EXTENSION
from services.api.forms import receive_form
from services.api.http.parsing import strict_json
from services.api.http.problems import ProblemError
from services.api.openapi.examples import form_of
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES
from shared.clinical.triage import triage
from shared.protocols import ACTIVE, active, cases
from tests.api.conftest import NOW, app

__all__ = ["app"]
SECONDS, LEAST_TRIED, KEPT = 60, 200, 500
ODD = [
    None,
    True,
    False,
    0,
    -1,
    2**53,
    2**63,
    1.5,
    "",
    "not_asked",
    "unknown",
    "\u0000",
    "😀",
    "9999-12-31",
    [],
    {},
    [[]],
]
ROOT = Path(receive_form.__file__).parents[3]
OURS = (f"{ROOT}/services/", f"{ROOT}/shared/")


class Coverage:
    """Counts the lines of our code that were ever reached: an input that reaches new ones is worth mutating."""

    def __init__(self) -> None:
        self.lines = set()

    def __enter__(self):
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def _enter(self, frame, *_):
        return self._line if frame.f_code.co_filename.startswith(OURS) else None

    def _line(self, frame, *_):
        self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def mutated(rng, form, fields):
    """Return a form with some answers changed, gone, odd or new."""
    form = copy.deepcopy(form)
    for _ in range(rng.randint(1, 6)):
        asked = rng.choice(fields)
        section = form.setdefault(asked.section, {})
        if not isinstance(section, dict):
            continue
        match rng.randrange(5):
            case 0:
                section.pop(asked.name, None)
            case 1:
                section[asked.name] = rng.choice(ODD)
            case 2:
                form[rng.choice([asked.section, "unknown"])] = rng.choice(ODD)
            case _:
                section[asked.name] = rng.choice(list(asked.values) or [rng.randint(-5, 500), "text", "2026-01-02"])
    return form


def bytes_of(rng, form):
    """Return the form as JSON, one time in four with bytes changed."""
    content = bytearray(json.dumps(form).encode())
    if rng.randrange(4) == 0:
        for _ in range(rng.randint(1, 8)):
            content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


@pytest.mark.timeout(180)
def test_no_form_breaks_parser_or_decision(app):
    context, rng = app.extensions[EXTENSION], random.Random(20261129)  # noqa: S311 - the same forms each time
    fields, corpus = list(active().form.fields.values()), [form_of(case) for case in cases(ACTIVE)]
    tried = decided = refused = 0
    refusals = set()
    coverage, end = Coverage(), time.monotonic() + SECONDS
    while time.monotonic() < end or tried < LEAST_TRIED:
        form = mutated(rng, rng.choice(corpus), fields)
        content, before = bytes_of(rng, form), len(coverage.lines)
        tried += 1
        with coverage:
            try:
                received = receive_form.read_form(context, strict_json.value_of(content), NOW)
            except ProblemError as problem:
                refusals.add(problem.status)
                refused += 1
                continue
            record = triage(received.form, context.protocol).record()
        decided += 1
        assert record["queue"] in QUEUES, content
        assert record["priority"] in PRIORITIES, content
        assert record == triage(received.form, context.protocol).record(), content
        assert record["reasons"] or record["pattern"], content
        if len(coverage.lines) > before and len(corpus) < KEPT:
            corpus.append(form)
    assert refusals <= {400, 422}
    assert min(decided, refused) > LEAST_TRIED // 10, (tried, decided, refused)
