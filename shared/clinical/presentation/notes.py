"""Notes to a sender: what was accepted in a form although it is read differently than it was sent."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.clinical.form import Form
from shared.clinical.protocol import Protocol

NO_AGE = "No age of 0 to 120 years follows from this date; the age counts as unanswered."


def notes_of(form: Form, protocol: Protocol) -> list[dict[str, str]]:
    """Return the notes on a form: old answers as they are read, and a birth date that gives no age."""
    return list(_notes(form, protocol))


def stored_notes(record: Mapping[str, Any], protocol: Protocol) -> list[dict[str, str]]:
    """Return the notes on the record of a stored form; one stored before 2026.2.0 was taken without any."""
    return notes_of(Form.of(record), protocol) if "mentioned" in record else []


def _notes(form: Form, protocol: Protocol) -> Iterator[dict[str, str]]:
    if form.age_years is None:
        yield {"pointer": "/patient/birth_date", "detail": NO_AGE}
    for field in protocol.form.renewed:
        read_as = field.old_answers.get(str(form.answers.get(field.name)))
        if read_as is not None:
            yield {"pointer": f"/{field.section}/{field.name}", "detail": f"Old answer read as {read_as}."}
