"""What to ask next (triage specification, part 4 step 15): a pure function beside the decision."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from .answers import Answers, section_of
from .evaluate import Result, evaluate
from .named import FLOORS, ROUTES, fields_in
from .vocabulary import TIER_1

MOST = 8
NUMBERS = ("duration_days", "pain_score")
RANK = {"routine": 0, "prompt": 1, "urgent": 2, "emergency": 3}

QUESTIONS = """
    patient | pregnancy_status | pregnant possible not_pregnant not_applicable
    symptoms | cannot_lift_leg_supine | present absent
    symptoms | side | left right both
    symptoms | onset | sudden subacute gradual
    symptoms | duration_days | 1 2 7 8 14 15 21 22 27 28 41 42 43
    symptoms | mechanism | none kick_or_forced_flexion fall_low_energy high_energy_trauma direct_blow lifting \
        after_procedure childbirth immobilisation other
    symptoms | progression | improving stable worsening_days worsening_weeks worsening_months fluctuating
    symptoms | limiting_factor | weakness pain block
    symptoms | bilateral_leg_weakness | present absent
    symptoms | bladder_change bowel_change saddle_numbness | none new_or_worse longstanding_unchanged
    symptoms | sexual_dysfunction_new | present absent
    symptoms | bilateral_sciatica | none new_or_worse longstanding_unchanged
    symptoms | back_pain anterior_thigh_pain_radiating anterior_thigh_numbness_tingling | present absent
    symptoms | groin_or_deep_hip_pain sharp_groin_pain_at_onset pain_worse_on_hip_flexion | present absent
    symptoms | pinching_or_catching lateral_hip_pain knee_pain | present absent
    symptoms | pain_score | 4 5
    symptoms | can_bear_weight | yes with_difficulty no
    symptoms | cannot_straighten_knee fast_face fast_arm fast_speech | present absent
    symptoms | breathlessness_rest_or_lying swallowing_difficulty | none new_or_worse longstanding_unchanged
    symptoms | fever systemically_unwell unexplained_weight_loss | present absent
    symptoms | cold_pale_limb sudden_abdominal_or_tearing_pain syncope | present absent
    history | cancer | none past current
    history | anticoagulant bleeding_disorder iv_drug_use | present absent
    history | recent_spinal_procedure recent_infection_6w osteoporosis_or_steroids | present absent
    history | atrial_fibrillation_or_vascular_risk known_aaa | present absent
    history | known_lumbar_pathology | none disc stenosis spondylolisthesis other
    history | known_hip_osteoarthritis hip_prosthesis prolonged_disuse | present absent
    history | endurance_athlete prior_treated_ces | present absent
    examination | upper_motor_neuron_signs sensory_level areflexia_legs | present absent
    examination | passive_hip_rom_painful resisted_hip_flexion_painful iliopsoas_tenderness_or_defect | present absent
    examination | muscle_wasting suprapatellar_gap leg_short_externally_rotated | present absent
    examination | psoas_sign | present absent
"""


def read_lines(table: str) -> Iterator[tuple[str, str, list[str]]]:
    for line in table.strip().splitlines():
        section, names, answers = (cell.split() for cell in line.split("|"))
        for name in names:
            yield name, section[0], answers


TABLE = {name: (section, answers) for name, section, answers in read_lines(QUESTIONS)}
ORDER = {name: place for place, name in enumerate(TABLE)}


def ask_next(form: Any, today: date) -> list[dict[str, Any]]:
    """At most 8 questions whose answer would change queue, priority or pattern, the weightiest first."""
    now = evaluate(form, today)
    kept = []
    for name in candidates(Answers(form, today), now):
        results = {answer: evaluate(answered(form, name, answer), today) for answer in TABLE[name][1]}
        if any(placed(result) != placed(now) for result in results.values()):
            kept.append((weight(name, now, results), name, results))
    return [entry(name, results) for _, name, results in sorted(kept, key=lambda item: item[0])[:MOST]]


def candidates(a: Answers, now: Result) -> list[str]:
    named = names(now)
    return [name for name in TABLE if name in named and a.unanswered(name)]


def names(now: Result) -> set[str]:
    conditions = list(now["possible"])
    if now["incomplete"]:
        conditions.append("ACUTE_CONTEXT")
    if not now["fired"]:
        routes = list(ROUTES)
        conditions += [*routes[: routes.index(now["route"]) + 1], *FLOORS]
    return set(TIER_1).union(*(fields_in(condition) for condition in conditions))


def answered(form: Any, name: str, answer: str) -> dict[str, Any]:
    """The form with the answer put in; the form itself stays as it is."""
    section = TABLE[name][0]
    value = int(answer) if name in NUMBERS else answer
    sections = form if isinstance(form, dict) else {}
    return {**sections, section: {**section_of(form, section), name: value}}


def placed(result: Result) -> tuple[str, str, str]:
    return result["queue"], result["priority"], result["pattern"]


def weight(name: str, now: Result, results: dict[str, Result]) -> tuple[int, int, bool, int]:
    """First what can raise most, then what can lower most, then tier 1, then the order of the table."""
    ranks = [RANK[result["priority"]] for result in results.values()]
    rank = RANK[now["priority"]]
    return min(0, rank - max(ranks)), min(0, min(ranks) - rank), name not in TIER_1, ORDER[name]


def entry(name: str, results: dict[str, Result]) -> dict[str, Any]:
    field = f"{TABLE[name][0]}.{name}"
    answers = {answer: {"queue": result["queue"], "priority": result["priority"]} for answer, result in results.items()}
    return {"field": field, "label": f"{field}.label", "answers": answers}
