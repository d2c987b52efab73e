"""What has to hold of every single result (triage specification, part 5, I1 to I6 and I19), as complaints in words."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from .decisions import Result
from .reading.answers import Answers

SERIOUS = ("urgent", "emergency")
REGIONS = ("mri_lumbar_spine", "mri_whole_spine", "ct_lumbar_spine", "ct_whole_spine", "ct_abdomen_pelvis")


def complaints(body: Any, today: date, result: Result) -> list[str]:
    """Every invariant of a single result that this one breaks."""
    studies = {item["study"] for item in result["imaging"]}
    return [
        *of_queue(result),
        *of_incomplete(result),
        *of_times(result),
        *of_safety(Answers(body, today), result, studies),
        *of_lists(result, studies),
        *of_contact(result),
    ]


def of_queue(result: Result) -> Iterator[str]:
    urgent = result["queue"] == "urgent"
    if urgent != (result["priority"] in SERIOUS):
        yield "I1: queue urgent if and only if priority emergency or urgent"
    if urgent != bool(result["red_flags"]):
        yield "I2: red flags if and only if queue urgent"
    if urgent != (result["pattern"] == "red_flag"):
        yield "I2: pattern red_flag if and only if queue urgent"


def of_incomplete(result: Result) -> Iterator[str]:
    if not result["incomplete"]:
        return
    if result["priority"] in ("routine", "emergency"):
        yield "I3: incomplete never with routine or emergency"
    waiting = {
        "queue": "clinical_review",
        "priority": "prompt",
        "pattern": "incomplete",
        "imaging_status": "hold_for_review",
    }
    if result["queue"] != "urgent" and any(result[name] != value for name, value in waiting.items()):
        yield "I3: incomplete outside the urgent queue waits for a person"


def of_times(result: Result) -> Iterator[str]:
    times = {item["within"] for item in result["imaging"]}
    if "routine" in times and result["priority"] != "routine":
        yield "I4: routine imaging only in routine results"
    if result["queue"] == "urgent" and times & {"routine", "2w"}:
        yield "I4: no routine or 2w imaging in the urgent queue"


def of_safety(a: Answers, result: Result, studies: set[str]) -> Iterator[str]:
    if a.says("mri_safety", "unsafe") and any(study.startswith("mri_") for study in studies):
        yield "I5: no MRI when unsafe"
    pregnant = a.says("pregnancy_status", "pregnant")
    no_gadolinium = a.under("egfr", 30) or a.says("gadolinium_reaction", "severe") or pregnant
    if no_gadolinium and any(study.endswith("_wwo") for study in studies):
        yield "I5: no gadolinium with poor kidneys, a severe reaction or in pregnancy"
    if a.says("iodinated_reaction", "severe") and any(
        study.startswith("ct_") and study.endswith("_w") for study in studies
    ):
        yield "I5: no contrast CT after a severe reaction"
    ionising = [study for study in studies if study.startswith(("ct", "xr_hip_pelvis"))]
    if pregnant and result["priority"] not in SERIOUS and ionising:
        yield "I5: no hip X-ray and no CT in a pregnant patient who can wait"


def of_lists(result: Result, studies: set[str]) -> Iterator[str]:
    if len(studies) != len(result["imaging"]):
        yield "I6: no study twice"
    for kind in ("mri", "ct"):
        regions = {study.rsplit("_", 1)[0] for study in studies if study.startswith(f"{kind}_")}
        if {f"{kind}_lumbar_spine", f"{kind}_whole_spine"} <= regions:
            yield "I6: no lumbar beside whole-spine study"
    if any(region + "_wo" in studies and studies & {region + "_w", region + "_wwo"} for region in REGIONS):
        yield "I6: not both with and without contrast"


def of_contact(result: Result) -> Iterator[str]:
    if result["ambulance"] and result["priority"] != "emergency":
        yield "I19: an ambulance only in an emergency"
    doubt = {"RF_UNANSWERED", "RF_CONFLICT"} & set(result["red_flags"])
    allowed: dict[str, tuple[int | None, ...]] = {
        "emergency": (10,),
        "urgent": (60,) if doubt else (240,),
        "prompt": (1440,) if result["pattern"] == "incomplete" else (1440, 4320),
        "routine": (None,),
    }
    if result["contact_minutes"] not in allowed[result["priority"]]:
        yield "I19: contact_minutes by priority"
