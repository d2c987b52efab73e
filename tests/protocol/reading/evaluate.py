"""The evaluation of one form, step by step (triage specification, part 4)."""

from datetime import date
from typing import Any

from .answers import Answers
from .evidence import Scores, scores
from .facts import acute_context
from .flags import EMERGENCIES, FLAG_OF, RULES
from .free_text import conflict
from .headlines import HEADLINES
from .imaging import ImagingList
from .owners import owner
from .requests import requests
from .routes import Request, Route, floors, route
from .rules_urgent import xu4
from .safety import SafetyCheck
from .targets import ambulance, contact_minutes
from .truth import certain, possible
from .vocabulary import TIER_1

Result = dict[str, Any]


def evaluate(form: Any, today: date) -> Result:
    """The result of part 4 step 14, with the rules, route, floors and owner that led to it."""
    a = Answers(form, today)
    points = scores(a, extensor_rupture=certain(xu4(a)))
    verdicts = {rule: condition(a) for rule, (_, condition) in RULES.items()}
    undecided = sorted(rule for rule, truth in verdicts.items() if truth is None)
    fired = {rule for rule, truth in verdicts.items() if truth}
    incomplete = is_incomplete(a, fired, undecided)
    asserted, mentioned = conflict(a)
    fired |= late_rules(a, incomplete=incomplete, text_conflict=bool(asserted))
    decided = flagged(a, fired) if fired else routed(a, points, incomplete=incomplete)
    found = {
        "red_flags": sorted({FLAG_OF[rule] for rule in fired}),
        "evidence": {"nerve": points.nerve, "muscle": points.muscle, "joint": points.joint},
        "incomplete": incomplete,
        "mentioned": sorted(mentioned),
        "fired": sorted(fired),
        "possible": undecided,
    }
    owned = owner(fired)
    found |= decided | owned
    timed = {"ambulance": ambulance(fired), "contact_minutes": contact_minutes(found)}
    return found | timed | {"headline": HEADLINES[owned["owner"] or decided["route"]]}


def is_incomplete(a: Answers, fired: set[str], undecided: list[str]) -> bool:
    if fired & EMERGENCIES.keys():
        return False
    return bool(undecided) or any(a.unanswered(question) for question in TIER_1)


def late_rules(a: Answers, *, incomplete: bool, text_conflict: bool) -> set[str]:
    unanswered = {"XU11"} if incomplete and possible(acute_context(a)) else set()
    return unanswered | ({"XU12"} if text_conflict else set())


def flagged(a: Answers, fired: set[str]) -> Result:
    priority = "emergency" if fired & EMERGENCIES.keys() else "urgent"
    waits_for_a_person = fired & {"XU11", "XU12", "XE17"}
    without = "hold_for_review" if waits_for_a_person else "not_indicated"
    advised = advise(a, requests(a, fired), without, serious=True, bone_in_question="XU6" in fired)
    placed = {"queue": "urgent", "priority": priority, "pattern": "red_flag", "route": None, "floors": []}
    return placed | advised


def routed(a: Answers, points: Scores, *, incomplete: bool) -> Result:
    chosen = route(a, points, incomplete=incomplete)
    raised = floors(a, points)
    priority = "prompt" if raised else chosen.priority
    advised = advise(
        a,
        in_time_for(priority, chosen),
        chosen.without_imaging,
        serious=False,
        bone_in_question=chosen.pattern == "mechanical_block",
    )
    placed = {"queue": chosen.queue, "priority": priority, "pattern": chosen.pattern}
    return placed | {"route": chosen.rule, "floors": raised} | advised


def in_time_for(priority: str, chosen: Route) -> list[Request]:
    """In a prompt result nothing is left for a routine appointment."""
    return [
        (study, "2w" if within == "routine" and priority == "prompt" else within) for study, within in chosen.imaging
    ]


def advise(a: Answers, wanted: list[Request], without: str, *, serious: bool, bone_in_question: bool) -> Result:
    """The imaging list after supersession and safety; one that safety emptied waits for a clinician."""
    listed = ImagingList(wanted)
    check = SafetyCheck(a, listed, serious=serious, bone_in_question=bone_in_question)
    check.run()
    emptied = "hold_for_review" if wanted else without
    return {
        "imaging": listed.in_order(),
        "imaging_status": "recommended" if listed else emptied,
        "cautions": sorted(check.cautions),
    }
