"""The forms that are posted: accepted ones, a tenth of them urgent, none under another's name."""

import itertools
import json
from datetime import date

import pytest

from bench.bodies import NAME, batches, example_forms, posts
from services.api.forms.schema import create_form_schema
from shared.clinical.form import read
from shared.clinical.triage import screen
from shared.protocols import active

FORMS = example_forms(2026)


@pytest.mark.parametrize("body", [*FORMS.urgent, *FORMS.routine])
def test_the_api_takes_it(body):
    assert create_form_schema(active().form).validate(body) == {}


def test_a_tenth_goes_to_the_priority_lane():
    forms = [read(body, active(), today=date(2026, 11, 22)) for body in FORMS.mixed()]
    assert sum(screen(form, active()) == "priority" for form in forms) * 10 == len(forms)


def test_each_post_has_an_id_of_its_own_and_the_length_it_says():
    requests = list(itertools.islice(posts(FORMS.mixed(), "key", "run"), 1_200))
    heads, bodies = zip(*(request.split(b"\r\n\r\n", 1) for request in requests), strict=True)
    assert all(f"Content-Length: {len(body)}".encode() in head for head, body in zip(heads, bodies, strict=True))
    sent = [json.loads(body) for body in bodies]
    names = {form["encounter"]["external_id"] for form in sent} | {form["patient"]["mrn"] for form in sent}
    assert len(names) == len(requests)
    assert NAME not in names


def test_each_line_of_each_batch_has_an_id_of_its_own():
    heads, bodies = zip(
        *(request.split(b"\r\n\r\n", 1) for request in itertools.islice(batches(FORMS.mixed(), "key", "run", 300), 3)),
        strict=True,
    )
    assert all(f"Content-Length: {len(body)}".encode() in head for head, body in zip(heads, bodies, strict=True))
    lines = [json.loads(line) for body in bodies for line in body.split(b"\n")]
    assert len(lines) == len({line["form"]["encounter"]["external_id"] for line in lines}) == 900
