"""How soon a clinician speaks to the patient, and who needs an ambulance (triage specification, parts 4 and 6.1)."""

from typing import Any

BY_AMBULANCE = {"XE6", "XE11", "XE12", "XE13", "XE14", "XE17"}
CALLED_BACK_WITHIN_AN_HOUR = {"RF_UNANSWERED", "RF_CONFLICT"}


def ambulance(fired: set[str]) -> bool:
    return bool(fired & BY_AMBULANCE)


def contact_minutes(result: dict[str, Any]) -> int | None:
    """Minutes of the clock; None means that nobody calls."""
    match result["priority"]:
        case "emergency":
            return 10
        case "urgent":
            return 60 if CALLED_BACK_WITHIN_AN_HOUR & set(result["red_flags"]) else 240
        case "prompt":
            soon = "SP1" in result["floors"] or result["pattern"] == "incomplete"
            return 1440 if soon else 4320
    return None
