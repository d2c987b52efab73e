"""20,000 generated forms: the code in service decides as the second reading of the specification does."""

import json
from datetime import date
from typing import Any

from shared.clinical.form import Form, read
from shared.clinical.triage import screen, triage
from shared.protocols import active

from .bodies import TODAY, Body
from .conftest import Read
from .decisions import service
from .invariants import complaints
from .shrink import compared, differences, smallest


def test_every_generated_form_is_decided_alike(generated: list[Read]) -> None:
    for body, today, expected in generated:
        if compared(expected, service(body, today)):
            raise AssertionError(described(body, today))


def described(body: Body, today: date) -> str:
    """The smallest form that shows the difference, and each field: first the reading, then the service."""
    small = smallest(body, lambda less: bool(differences(less, today)))
    fields = "\n".join(
        f"{name}:\n  reading {expected}\n  service {found}"
        for name, (expected, found) in differences(small, today).items()
    )
    return f"on {today} the decisions differ for\n{json.dumps(small, indent=1)}\n{fields}"


def test_every_generated_form_keeps_the_invariants_of_a_single_result(generated: list[Read]) -> None:
    broken = [(body, found) for body, today, result in generated if (found := complaints(body, today, result))]

    assert broken[:1] == []


def test_a_stored_form_is_decided_as_it_was_sent(generated: list[Read]) -> None:
    for body, today, _ in generated[::4]:
        sent = read(body, active(), today=today)
        stored: dict[str, Any] = json.loads(json.dumps(sent.record(), allow_nan=False))

        assert triage(Form.of(stored), active()).record() == triage(sent, active()).record()


def test_screening_sends_exactly_the_urgent_queue_to_the_priority_lane(generated: list[Read]) -> None:
    for body, today, expected in generated[::4]:
        lane = screen(read(body, active(), today=today), active())
        assert lane == ("priority" if expected["queue"] == "urgent" else "routine")


def test_a_stored_form_holds_no_identity_and_no_free_text() -> None:
    identity = {"mrn": "Xylander-1", "family_name": "Xylander-2", "given_name": "Xylander-3"}
    contact = {"callback_phone": "Xylander-4", "referrer_contact": "Xylander-5", "external_id": "Xylander-6"}
    body = {
        "patient": identity | {"birth_date": "1961-07-19"},
        "encounter": contact | {"free_text": "Xylander-7 wet myself"},
    }
    stored = json.dumps(read(body, active(), today=TODAY).record())

    assert [secret for secret in ("Xylander", "1961", "wet myself") if secret in stored] == []
