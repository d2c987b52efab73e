"""Where forms without a red flag go: the routes in order, the floors, and the edges of the evidence."""

import pytest

from shared.protocols import active
from tests.unit.clinical.calm import decide, reason_ids, studies

NERVE = {"limiting_factor": "weakness", "anterior_thigh_pain_radiating": "present"}  # 4 points
STRAIN = {"mechanism": "kick_or_forced_flexion", "sharp_groin_pain_at_onset": "present"}  # 4 points
JOINT = {"pinching_or_catching": "present", "known_hip_osteoarthritis": "present"}  # 4 points
BLOCK = {"limiting_factor": "block"}  # 3 points
DISUSE = {"prolonged_disuse": "present"}  # 4 points, slow onset being calm already
OLD = {"bladder_change": "longstanding_unchanged"}

# route, answers, queue, priority, pattern, imaging or status
ROUTES = [
    ("FR1", {"saddle_numbness": "unknown"}, "clinical_review", "prompt", "incomplete", "hold_for_review"),
    ("FR2", {"duration_days": 20}, "clinical_review", "prompt", "conflict", "hold_for_review"),
    (
        "FR2",
        {"mrc_hip_flexion_left": 5, "mrc_hip_flexion_right": 4},
        "clinical_review",
        "prompt",
        "conflict",
        "hold_for_review",
    ),
    (
        "FR3",
        {**OLD, "prior_treated_ces": "present"},
        "clinical_review",
        "prompt",
        "confirm_baseline",
        "hold_for_review",
    ),
    ("FR3", {**OLD, "prior_treated_ces": None}, "clinical_review", "prompt", "confirm_baseline", "hold_for_review"),
    (
        "FR6",
        {"sensory_level": "present", **JOINT},
        "neurology",
        "prompt",
        "mixed_objective_neuro",
        ["mri_whole_spine_wo@2w", "xr_hip_pelvis@2w"],
    ),
    (
        "FR7",
        {"sensory_level": "present", "cannot_lift_leg_supine": "absent"},
        "neurology",
        "prompt",
        "mixed_objective_neuro",
        ["mri_whole_spine_wo@2w"],
    ),
    ("FR7", {"sensory_level": "present"}, "neurology", "prompt", "mixed_objective_neuro", ["mri_whole_spine_wo@2w"]),
    (
        "FR4",
        {"cannot_lift_leg_supine": "absent", **NERVE},
        "clinical_review",
        "routine",
        "undifferentiated",
        "hold_for_review",
    ),
    (
        "FR5",
        {"cannot_lift_leg_supine": "absent", "onset": "subacute"},
        "clinical_review",
        "prompt",
        "undifferentiated",
        "hold_for_review",
    ),
    ("SN0", {"hoover_sign": "positive"}, "neurology", "routine", "functional", "hold_for_review"),
    (
        "SN1",
        {"hoover_sign": "positive", **NERVE},
        "neurology",
        "routine",
        "nerve_root_L2_L4",
        ["mri_lumbar_spine_wo@routine"],
    ),
    ("SN1", NERVE, "neurology", "routine", "nerve_root_L2_L4", ["mri_lumbar_spine_wo@routine"]),
    (
        "SN2",
        {"limiting_factor": "weakness", "progression": "worsening_months", "muscle_wasting": "present", **DISUSE},
        "neurology",
        "prompt",
        "neuromuscular",
        "hold_for_review",
    ),
    (
        "SN2",
        {"limiting_factor": "weakness", "progression": "worsening_months", "side": "both"},
        "neurology",
        "prompt",
        "neuromuscular",
        "hold_for_review",
    ),
    (
        "SM1A",
        {**STRAIN, "onset": "sudden", "duration_days": 21},
        "orthopedics",
        "prompt",
        "iliopsoas_strain_tear",
        ["xr_hip_pelvis@72h", "mri_hip_wo@2w"],
    ),
    (
        "SM1",
        {**STRAIN, "onset": "sudden", "duration_days": 22},
        "orthopedics",
        "routine",
        "iliopsoas_strain_tear",
        ["mri_hip_wo@routine", "xr_hip_pelvis@routine"],
    ),
    ("SM2", DISUSE, "orthopedics", "routine", "disuse_atrophy", "not_indicated"),
    (
        "SJ2",
        BLOCK,
        "orthopedics",
        "routine",
        "mechanical_block",
        ["mri_hip_wo@routine", "xr_hip_pelvis@routine"],
    ),
    (
        "SJ1A",
        JOINT,
        "orthopedics",
        "routine",
        "hip_joint",
        ["mri_hip_wo@routine", "xr_hip_pelvis@routine"],
    ),
    (
        "SJ1",
        {"lateral_hip_pain": "present"},
        "orthopedics",
        "routine",
        "hip_joint",
        ["xr_hip_pelvis@routine"],
    ),
    ("SC1", {}, "clinical_review", "routine", "undifferentiated", "hold_for_review"),
    ("SC1A", {"onset": "subacute"}, "clinical_review", "prompt", "undifferentiated", "hold_for_review"),
    (
        "MX1",
        {"knee_reflex_left": "absent", "back_pain": "present", **JOINT},
        "neurology",
        "prompt",
        "mixed_objective_neuro",
        ["mri_lumbar_spine_wo@2w", "xr_hip_pelvis@2w"],
    ),
    (
        "MX2",
        {**NERVE, **JOINT},
        "clinical_review",
        "prompt",
        "mixed",
        ["mri_lumbar_spine_wo@2w", "xr_hip_pelvis@2w"],
    ),
]
ROUTES_OUT = [  # route, answers with which an earlier condition would have taken it or its own is false
    ("FR1", {}),
    ("FR2", {"duration_days": 28}),  # slow, and four weeks old
    ("FR2", {"mrc_hip_flexion_left": 4, "mrc_hip_flexion_right": 4}),
    ("FR2", {"mrc_hip_flexion_left": 5, "mrc_hip_flexion_right": 4, "side": "both"}),
    ("FR3", OLD),  # old, unchanged, and nothing new
    ("FR6", {"sensory_level": "present", **BLOCK, "saddle_numbness": "unknown"}),  # FR1 comes first
    ("FR7", {"sensory_level": "unknown"}),
    ("FR4", {"cannot_lift_leg_supine": "unknown"}),
    ("FR5", {"cannot_lift_leg_supine": "unknown", "onset": "subacute"}),
    ("SN0", {"hoover_sign": "positive", **BLOCK}),  # nerve does not lead
    ("SN1", {"limiting_factor": "weakness"}),  # two points only
    ("SN1", {**NERVE, "known_hip_osteoarthritis": "present", "fadir": "positive"}),  # leads by one
    ("SN2", {"limiting_factor": "weakness", "progression": "worsening_months"}),
    ("SN2", {"limiting_factor": "weakness", "muscle_wasting": "present"}),
    ("SM1A", {**STRAIN, "onset": "sudden", "duration_days": 100}),
    ("SM1", {**STRAIN, "known_hip_osteoarthritis": "present", "pinching_or_catching": "present"}),  # equal to joint
    ("SM2", {**DISUSE, "knee_reflex_left": "reduced"}),  # an objective sign
    ("SM2", {**DISUSE, "onset": "subacute"}),
    ("SJ2", {"limiting_factor": "pain"}),
    ("SJ1A", {"known_hip_osteoarthritis": "present", "lateral_hip_pain": "present"}),
    ("SJ1", {**JOINT, "limiting_factor": "weakness", "back_pain": "present"}),  # leads nerve by one
    ("SC1", {"onset": "subacute"}),
    ("SC1A", BLOCK),
    ("MX1", {"knee_reflex_right": "absent", **NERVE, **JOINT}),  # not the affected leg
    ("MX2", {"knee_reflex_left": "absent", "back_pain": "present", **JOINT}),
]

# floor, routine answers with which it holds, and with which it does not
FLOORS = [
    ("SP1", {"onset": "sudden", "mechanism": "unknown", **BLOCK}, {"onset": "sudden", "mechanism": "lifting", **BLOCK}),
    ("FP1", {"pregnancy_status": "pregnant", "sex_at_birth": "female"}, {"pregnancy_status": "unknown"}),
    ("FP2", {"age": 15}, {"age": 16}),
    ("FP2", {"age": None, "sex_at_birth": "male"}, {"age": 90}),
    ("FP3", {"cancer": "past"}, {"cancer": "none"}),
    ("FP4", {"unexplained_weight_loss": "present", "age": 50}, {"unexplained_weight_loss": "present", "age": 49}),
    ("FP4", {"unexplained_weight_loss": None, "age": 50}, {"unexplained_weight_loss": None, "age": 49}),
    ("FP5", {**NERVE, "duration_days": 41}, {**NERVE, "duration_days": 42}),
    ("FP5", {**NERVE, "progression": "worsening_months"}, {**NERVE, "progression": "fluctuating"}),
    ("FP6", {"systemically_unwell": "present"}, {"systolic_bp": 100}),
    ("FP6", {"leg_short_externally_rotated": "unknown"}, {"leg_short_externally_rotated": None}),
    ("FP6", {"heart_rate": 111}, {"heart_rate": 110}),
    ("FP7", {"side": "both", "progression": "fluctuating"}, {"side": "both", "progression": "stable"}),
    (
        "FP7",
        {"bilateral_leg_weakness": "present", "progression": "worsening_months"},
        {"progression": "worsening_months"},
    ),
]


@pytest.mark.parametrize(("route", "answers", "queue", "priority", "pattern", "imaging"), ROUTES)
def test_a_route_is_taken(route, answers, queue, priority, pattern, imaging):
    decision = decide(**answers)
    assert reason_ids(decision)[0] == route
    assert (decision.queue, decision.priority, decision.pattern) == (queue, priority, pattern)
    assert (studies(decision) or decision.imaging_status) == imaging
    assert decision.red_flags == ()


@pytest.mark.parametrize(("route", "answers"), ROUTES_OUT)
def test_a_route_is_not_taken(route, answers):
    assert route not in reason_ids(decide(**answers))


@pytest.mark.parametrize(("floor", "holds", "does_not"), FLOORS)
def test_a_floor_makes_routine_prompt(floor, holds, does_not):
    low, high = decide(**does_not), decide(**holds)
    assert floor not in reason_ids(low)
    assert low.priority == "routine"
    assert floor in reason_ids(high)
    assert high.priority == "prompt"


def test_a_prompt_result_stays_prompt_and_names_its_floor():
    decision = decide(onset="sudden", mechanism="none")
    assert (decision.priority, reason_ids(decision)) == ("prompt", ["SC1A", "SP1"])


def test_a_floor_turns_routine_imaging_into_two_weeks_and_leaves_other_times():
    assert studies(decide(**BLOCK, cancer="past")) == ["mri_hip_wo@2w", "xr_hip_pelvis@2w"]
    recent = {**STRAIN, "onset": "sudden", "duration_days": 3, "cancer": "past"}
    assert studies(decide(**recent)) == ["xr_hip_pelvis@72h", "mri_hip_wo@2w"]


def test_every_route_and_floor_has_a_case_for_and_against():
    routes, floors = [route.id for route in active().routes], [floor.id for floor in active().floors]
    assert list(dict.fromkeys(row[0] for row in ROUTES)) == routes
    assert list(dict.fromkeys(row[0] for row in ROUTES_OUT)) == routes
    assert list(dict.fromkeys(row[0] for row in FLOORS)) == floors


def test_evidence_is_counted_for_every_form_and_muscle_is_the_larger_of_two():
    counted = decide(**STRAIN, prolonged_disuse="present", muscle_wasting="present", fast_face="present")
    assert counted.evidence == {"nerve": 0, "muscle": 5, "joint": 0}
    assert decide(**NERVE, hoover_sign="positive").evidence["nerve"] == 7
    knee = {"cannot_straighten_knee": "present", "mechanism": "lifting", "mrc_knee_extension_left": 3}
    assert decide(**knee).evidence["nerve"] == 0  # a torn tendon explains the weak knee
