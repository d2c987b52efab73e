"""What has to hold between the results of two forms (triage specification, part 5, I7 and I10 to I15).

Each function takes a decision and a form, and gives the changes to that form that break its invariant.
"""

from typing import Any

from . import raising
from .bodies import ABSENT, Answers, body_of, mirrored
from .decisions import OF_STEP_14, RANK, Decide, Result
from .near import BY_NAME, DEFINITE

SAFETY_ANSWERS = [
    (name, value)
    for name, field in BY_NAME.items()
    if field.section == "imaging_safety"
    for value in (*DEFINITE[name], "unknown")
]
ENCOUNTER_ANSWERS = {
    "external_id": "A-1",
    "source": "ed",
    "completed_by": "proxy",
    "callback_phone": "wet myself",
    "interpreter_language": "fr",
}
ASKED_FIELDS = [
    "birth_date",
    *(name for name, field in BY_NAME.items() if field.section in ("patient", "symptoms", "history")),
]
TRI_FINDINGS = [name for name, field in BY_NAME.items() if field.tri and field.is_finding]


def rank(decide: Decide, form: Answers) -> int:
    return RANK[decide(body_of(form))["priority"]]


def i7_safety_or_encounter_leaks(decide: Decide, form: Answers) -> list[Any]:
    before = beyond_safety(decide(body_of(form)))
    elsewhere = body_of(form)
    elsewhere["encounter"] |= ENCOUNTER_ANSWERS
    leaks: list[Any] = [ENCOUNTER_ANSWERS] if beyond_safety(decide(elsewhere)) != before else []
    return leaks + [
        (name, value)
        for name, value in SAFETY_ANSWERS
        if beyond_safety(decide(body_of(form | {name: value}))) != before
    ]


def beyond_safety(result: Result) -> Result:
    """What imaging safety may not touch."""
    names = ("queue", "priority", "red_flags", "pattern", "evidence", "incomplete")
    return {name: result[name] for name in names}


def i10_sides_differ(decide: Decide, form: Answers) -> list[Any]:
    before, after = decide(body_of(form)), decide(body_of(mirrored(form)))
    return [(name, before[name], after[name]) for name in OF_STEP_14 if before[name] != after[name]]


def i11_text_lowers(decide: Decide, form: Answers, *texts: str) -> list[Any]:
    without = rank(decide, form | {"free_text": ABSENT})
    tried = ("", "no change", "denies incontinence", "wet myself", *texts)
    return [text for text in tried if rank(decide, form | {"free_text": text}) < without]


def i12_positive_lowers(decide: Decide, form: Answers) -> list[Any]:
    return [
        change
        for change in raising.CHANGES
        if rank(decide, saying(form, change, change[2])) < rank(decide, saying(form, change, change[1]))
    ]


def i13_unknown_lowers(decide: Decide, form: Answers, silence: Any = "unknown") -> list[Any]:
    return [
        change
        for change in raising.QUESTIONS
        if rank(decide, saying(form, change, silence)) < rank(decide, saying(form, change, change[1]))
    ]


def saying(form: Answers, change: raising.Change, value: Any) -> Answers:
    if change[0] == "bilateral_leg_weakness":
        # Ticking this box ends a conflict with the free text (part 4 step 9), and an old weakness of both
        # legs is no red flag: part 4 decides where another sentence differs.
        form = form | {"free_text": ABSENT}
    return form | {change[0]: value}


def i14_reassurance_lowers(decide: Decide, form: Answers) -> list[Any]:
    reassuring = [name for name, _ in raising.REASSURING]
    untested = {name: value for name, value in form.items() if name not in reassuring}
    before = decide(body_of(untested))
    if before["queue"] != "urgent":
        return []
    after = {finding: decide(body_of(untested | dict([finding]))) for finding in raising.REASSURING}
    return [finding for finding, result in after.items() if lowered(before, result)]


def lowered(before: Result, after: Result) -> bool:
    fewer_flags = not set(after["red_flags"]) >= set(before["red_flags"])
    return fewer_flags or RANK[after["priority"]] < RANK[before["priority"]]


def i15_loss_makes_routine(decide: Decide, form: Answers, silence: Any = "unknown") -> list[Any]:
    if decide(body_of(form))["queue"] != "urgent":
        return []
    losses = dict.fromkeys(ASKED_FIELDS, silence)
    losses |= {name: "unknown" for name in TRI_FINDINGS if form.get(name) == "present"}
    return [name for name, loss in losses.items() if not rank(decide, form | {name: loss})]
