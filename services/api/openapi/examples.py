"""Examples for the OpenAPI document: worked cases of the protocol, as forms that can be posted as they are."""

from typing import Any

from shared.protocols import ACTIVE, cases

YEAR = 2026
SUBMITTED_AT = (
    f"{YEAR}-01-02T09:00:00Z"  # the patients are born on 1 January, and as old as their case says on that day
)
SHOWN = ("V01", "V47", "V52", "V61")  # one for each queue
BATCHED = 2  # forms in the example of a batch


def form_of(case: dict[str, Any], **encounter: Any) -> dict[str, Any]:
    """Return the form of a worked case for a made-up patient, with more members of its `encounter`."""
    form = case["form"]
    patient = {"mrn": f"DEMO-{case['id']}", "birth_date": f"{YEAR - case['age_years']}-01-01"}
    sent = {"submitted_at": SUBMITTED_AT, **encounter}
    return {**form, "encounter": form["encounter"] | sent, "patient": form["patient"] | patient}


def form_examples() -> dict[str, Any]:
    """Return a form for each queue, by the id of its case, as OpenAPI names examples.

    They have no external id: a changed example that is posted again is another form, not a conflicting repeat.
    """
    return {
        case["id"]: {
            "summary": f"{case['expect']['queue']}: {case['prose'].partition('. ')[0]}",
            "value": form_of(case),
        }
        for case in _shown()
    }


def example_form() -> dict[str, Any]:
    """Return the form of the first worked case that is shown."""
    return form_of(_shown()[0])


def batch_lines() -> list[dict[str, Any]]:
    """Return some lines of a batch."""
    return [{"idempotency_key": f"demo-{case['id']}", "form": form_of(case)} for case in _shown()[:BATCHED]]


def _shown() -> list[dict[str, Any]]:
    by_id = {case["id"]: case for case in cases(ACTIVE)}
    return [by_id[name] for name in SHOWN]
