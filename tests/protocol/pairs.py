"""What has to hold between the results of two forms (triage specification, part 5, I7, I10 to I15, I18, I20 and I21).

Each function takes a decision and a form, and gives the changes to that form that break its invariant.
"""

from typing import Any

from . import raising
from .bodies import ABSENT, TODAY, Answers, body_of, mirrored
from .decisions import OF_STEP_14, RANK, Decide, Result
from .near import BY_NAME, DEFINITE
from .reading.answers import Answers as Cleaned
from .reading.free_text import conflict, outcomes
from .reading.imaging import TIMES
from .reading.vocabulary import FORMER_TRI, OLD_ANSWERS
from .reading.word_lists import GROUPS

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
    names = (
        *("queue", "priority", "red_flags", "pattern", "evidence", "incomplete"),
        *("mentioned", "ambulance", "contact_minutes"),
    )
    return {name: result[name] for name in names}


def i10_sides_differ(decide: Decide, form: Answers) -> list[Any]:
    before, after = decide(body_of(form)), decide(body_of(mirrored(form)))
    return [(name, before[name], after[name]) for name in OF_STEP_14 if before[name] != after[name]]


def i11_text_lowers(decide: Decide, form: Answers, *texts: str) -> list[Any]:
    without = rank(decide, form | {"free_text": ABSENT})
    tried = ("", "no change", "denies incontinence", "wet myself", *texts)
    return [text for text in tried if rank(decide, form | {"free_text": text}) < without]


def i12_positive_lowers(decide: Decide, form: Answers) -> list[Any]:
    return [change for change in raising.CHANGES if lowers(decide, form, change)]


def lowers(decide: Decide, form: Answers, change: raising.Change) -> bool:
    """An answer that ends every disagreement with the free text may take the rank back to that without a text."""
    name, negative, positive = change
    before = form | {name: negative}
    least = rank(decide, before)
    found = rank(decide, form | {name: positive})
    if found < least and ends_the_conflict(before, name):
        least = rank(decide, before | {"free_text": ABSENT})
    return found < least


def ends_the_conflict(before: Answers, name: str) -> bool:
    asserted, _ = conflict(Cleaned(body_of(before), TODAY))
    return all(name in GROUPS[group]["boxes"] for group in asserted)


def i13_unknown_lowers(decide: Decide, form: Answers, silence: Any = "unknown") -> list[Any]:
    return [
        change
        for change in raising.QUESTIONS
        if rank(decide, form | {change[0]: silence}) < rank(decide, form | {change[0]: change[1]})
    ]


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


def i18_pregnancy_delays_imaging(decide: Decide, form: Answers) -> list[Any]:
    """The first image is not later in pregnancy, where both have one."""
    pregnant = first_image(decide(body_of(form | {"pregnancy_status": "pregnant"})))
    other = first_image(decide(body_of(form | {"pregnancy_status": "not_pregnant"})))
    return [(pregnant, other)] if pregnant is not None and other is not None and pregnant > other else []


def first_image(result: Result) -> int | None:
    return min((TIMES.index(item["within"]) for item in result["imaging"]), default=None)


def i20_old_answers_differ(decide: Decide, form: Answers) -> list[Any]:
    return [
        (name, old)
        for name in FORMER_TRI
        for old, new in OLD_ANSWERS.items()
        if decide(body_of(form | {name: old})) != decide(body_of(form | {name: new}))
    ]


def i21_text_changes_more_than_mentioned(decide: Decide, form: Answers, *texts: str) -> list[Any]:
    """Without a text nothing is mentioned, and one that asserts nothing changes nothing else."""
    without = decide(body_of(form | {"free_text": ABSENT}))
    broken: list[Any] = [without["mentioned"]] if without["mentioned"] else []
    for text in ("return if she wets herself", "no incontinence", "PVR 55ml", *texts):
        asserting = "asserted" in outcomes(text, TODAY.year).values()
        if not asserting and decide(body_of(form | {"free_text": text})) | {"mentioned": []} != without:
            broken.append(text)
    return broken
