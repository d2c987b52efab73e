"""Results without a red flag: the routes and the prompt floors (triage specification, part 3.6)."""

from dataclasses import dataclass

from .answers import Answers
from .evidence import Scores
from .facts import (
    alarm_answer,
    bilateral,
    cancer,
    cord_sign,
    gradual,
    longstanding_deficit,
    new_problem,
    root_sign,
    side_contradiction,
    sudden,
    time_contradiction,
    unexplained,
    weakness,
)
from .truth import certain, every, possible, some

Request = tuple[str, str]


@dataclass(frozen=True)
class Route:
    """Where a case without a red flag goes; `without_imaging` is the imaging status of an empty list."""

    rule: str
    queue: str
    priority: str
    pattern: str
    imaging: tuple[Request, ...] = ()
    without_imaging: str = "hold_for_review"


LUMBAR_AND_HIP = (("mri_lumbar_spine_wo", "2w"), ("xr_hip_pelvis", "2w"))
HIP_ROUTINE = (("xr_hip_pelvis", "routine"), ("mri_hip_wo", "routine"))
WHOLE_SPINE = ("mri_whole_spine_wo", "2w")


def route(a: Answers, points: Scores, *, incomplete: bool) -> Route:
    return before_evidence(a, points, incomplete=incomplete) or by_evidence(a, points)


def before_evidence(a: Answers, points: Scores, *, incomplete: bool) -> Route | None:
    """Orders 1 to 7: what has to be settled by a person first, slow cord signs, and other pathways."""
    if incomplete:
        return Route("FR1", "clinical_review", "prompt", "incomplete")
    if side_contradiction(a) or certain(time_contradiction(a)):
        return Route("FR2", "clinical_review", "prompt", "conflict")
    if longstanding_deficit(a) and possible(some(new_problem(a), a.present("prior_treated_ces"))):
        return Route("FR3", "clinical_review", "prompt", "confirm_baseline")
    if cord_sign(a):
        if points.muscle >= 3 or points.joint >= 3:
            both = (WHOLE_SPINE, ("xr_hip_pelvis", "2w"))
            return Route("FR6", "neurology", "prompt", "mixed_objective_neuro", both)
        return Route("FR7", "neurology", "prompt", "mixed_objective_neuro", (WHOLE_SPINE,))
    if a.says("cannot_lift_leg_supine", "absent"):
        if gradual(a):
            return Route("FR4", "clinical_review", "routine", "undifferentiated")
        return Route("FR5", "clinical_review", "prompt", "undifferentiated")
    return None


def by_evidence(a: Answers, points: Scores) -> Route:
    """Orders 8 to 20."""
    found = nerve_route(a, points) or neuromuscular_route(a) or muscle_route(a, points) or joint_route(a, points)
    if found:
        return found
    if points.nerve < 3 and points.muscle < 3 and points.joint < 3:
        if gradual(a):
            return Route("SC1", "clinical_review", "routine", "undifferentiated")
        return Route("SC1A", "clinical_review", "prompt", "undifferentiated")
    if root_sign(a):
        return Route("MX1", "neurology", "prompt", "mixed_objective_neuro", LUMBAR_AND_HIP)
    return Route("MX2", "clinical_review", "prompt", "mixed", LUMBAR_AND_HIP)


def nerve_route(a: Answers, points: Scores) -> Route | None:
    if not points.nerve_leads:
        return None
    if a.says("hoover_sign", "positive") and points.nerve_plain < 3:
        return Route("SN0", "neurology", "routine", "functional")
    return Route("SN1", "neurology", "routine", "nerve_root_L2_L4", (("mri_lumbar_spine_wo", "routine"),))


def neuromuscular_route(a: Answers) -> Route | None:
    spread = some(a.present("muscle_wasting"), bilateral(a))
    if every(weakness(a), a.says("progression", "worsening_months"), spread):
        return Route("SN2", "neurology", "prompt", "neuromuscular")
    return None


def muscle_route(a: Answers, points: Scores) -> Route | None:
    if points.strain_leads:
        if a.at_most("duration_days", 21):
            soon = (("xr_hip_pelvis", "72h"), ("mri_hip_wo", "2w"))
            return Route("SM1A", "orthopedics", "prompt", "iliopsoas_strain_tear", soon)
        return Route("SM1", "orthopedics", "routine", "iliopsoas_strain_tear", HIP_ROUTINE)
    if points.disuse_leads and not root_sign(a):
        return Route("SM2", "orthopedics", "routine", "disuse_atrophy", without_imaging="not_indicated")
    return None


def joint_route(a: Answers, points: Scores) -> Route | None:
    if not points.joint_leads:
        return None
    if some(a.says("limiting_factor", "block"), a.says("passive_hip_rom", "blocked")):
        return Route("SJ2", "orthopedics", "routine", "mechanical_block", HIP_ROUTINE)
    if a.present("pinching_or_catching"):
        return Route("SJ1A", "orthopedics", "routine", "hip_joint", HIP_ROUTINE)
    return Route("SJ1", "orthopedics", "routine", "hip_joint", HIP_ROUTINE[:1])


def floors(a: Answers, points: Scores) -> list[str]:
    """The prompt floors that hold."""
    getting_worse = a.says("progression", "worsening_days", "worsening_weeks", "worsening_months")
    not_stable = some(getting_worse, a.says("progression", "fluctuating"))
    held = {
        "SP1": possible(every(sudden(a), unexplained(a))),
        "FP1": certain(a.says("pregnancy_status", "pregnant")),
        "FP2": possible(a.under("age_years", 16)),
        "FP3": possible(cancer(a)),
        "FP4": possible(every(a.present("unexplained_weight_loss"), a.at_least("age_years", 50))),
        "FP5": points.nerve_leads and possible(some(a.under("duration_days", 42), getting_worse)),
        "FP6": possible(alarm_answer(a)),
        "FP7": possible(every(bilateral(a), not_stable)),
    }
    return sorted(floor for floor, holds in held.items() if holds)
