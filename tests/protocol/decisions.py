"""The two ways to a decision, in one form so that they can be compared and held to the same invariants."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from shared.clinical.form import read
from shared.clinical.triage import triage
from shared.protocols import active

from .bodies import TODAY
from .reading import evaluate
from .reading.flags import FLAG_OF

Result = dict[str, Any]
Decide = Callable[..., Result]

OF_STEP_14 = (
    *("queue", "priority", "red_flags", "pattern", "imaging"),
    *("imaging_status", "cautions", "evidence", "incomplete"),
    *("mentioned", "ambulance", "contact_minutes"),
)
FLOORS = ("SP1", "FP1", "FP2", "FP3", "FP4", "FP5", "FP6", "FP7")
RANK = {"routine": 0, "prompt": 1, "urgent": 2, "emergency": 3}


def reading(body: Any, today: date = TODAY) -> Result:
    """What the second reading says."""
    return evaluate(body, today)


def service(body: Any, today: date = TODAY) -> Result:
    """What the code in service says."""
    return in_common_form(triage(read(body, active(), today=today), active()).record())


def in_common_form(record: Mapping[str, Any]) -> Result:
    """The decision as it is stored and sent, brought to the shape of the second reading."""
    named = [reason["rule"] for reason in record["reasons"]]
    routes = [rule for rule in named if rule not in FLAG_OF and rule not in FLOORS]
    imaging = [{name: item[name] for name in ("study", "within", "instead_of")} for item in record["imaging"]]
    owned = ("suspected", "send_to") if record["red_flags"] else ()
    return {name: record[name] for name in (*OF_STEP_14, *owned, "headline")} | {
        "imaging": imaging,
        "fired": sorted(rule for rule in named if rule in FLAG_OF),
        "possible": sorted(item["rule"] for item in record["undetermined"]),
        "route": routes[0] if len(routes) == 1 else routes or None,
        "floors": sorted(rule for rule in named if rule in FLOORS),
    }
