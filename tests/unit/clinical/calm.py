"""A calm form, every question answered and nothing alarming; tests change the answers that matter."""

from datetime import date
from typing import Any

from shared.clinical.decision import Decision
from shared.clinical.form import Form, read
from shared.clinical.triage import triage
from shared.protocols import active

TODAY = date(2026, 11, 22)
TRI_ABSENT = {
    field.name: "absent" for field in active().form.fields.values() if field.type == "tri" and field.kind == "question"
}
CALM: dict[str, Any] = {
    **TRI_ABSENT,
    "sex_at_birth": "male",
    "pregnancy_status": "not_applicable",
    "cannot_lift_leg_supine": "present",
    "side": "left",
    "onset": "gradual",
    "duration_days": 100,
    "mechanism": "other",
    "progression": "stable",
    "limiting_factor": "pain",
    "bladder_change": "none",
    "bilateral_sciatica": "none",
    "breathlessness_rest_or_lying": "none",
    "swallowing_difficulty": "none",
    "bowel_change": "none",
    "saddle_numbness": "none",
    "pain_score": 4,
    "can_bear_weight": "yes",
    "cancer": "none",
    "known_lumbar_pathology": "none",
    "mri_safety": "safe",
    "implant": "none",
    "gadolinium_reaction": "none",
    "iodinated_reaction": "none",
    "egfr": 90,
}


def body(*, age: int | None = 45, free_text: str = "", **changed: Any) -> dict[str, Any]:
    """Return a calm form with some answers changed; None leaves one out, and an age of None the birth date."""
    fields = active().form.fields
    form: dict[str, Any] = {"encounter": {"free_text": free_text}, "patient": {}}
    if age is not None:
        form["patient"]["birth_date"] = f"{TODAY.year - age}-01-01"
    for name, answer in {**CALM, **changed}.items():
        if answer is not None:
            form.setdefault(fields[name].section, {})[name] = answer
    return form


def form(**changed: Any) -> Form:
    """Return the calm form as it is read."""
    return read(body(**changed), active(), today=TODAY)


def decide(**changed: Any) -> Decision:
    """Return what is decided about a calm form with some answers changed."""
    return triage(form(**changed), active())


def reason_ids(decision: Decision) -> list[str]:
    """Return the ids of the rules, routes and floors behind a decision."""
    return [reason.rule for reason in decision.reasons]


def studies(decision: Decision) -> list[str]:
    """Return the imaging as `study@within`, in its order."""
    return [f"{advice.study}@{advice.within}" for advice in decision.imaging]
