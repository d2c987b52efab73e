"""One row a rule: answers with which it fires, is ruled out, and cannot be determined. The rest of the form is calm."""

from typing import Any, NamedTuple


class Row(NamedTuple):
    """What makes one rule true, false and not known; `missing` is what leaves it not known."""

    rule: str
    fires: dict[str, Any]
    ruled_out: dict[str, Any]
    undetermined: dict[str, Any] | None
    missing: list[str]


BLEEDING = {"anticoagulant": "present", "groin_or_deep_hip_pain": "present", "onset": "sudden", "duration_days": 42}
FALL = {"mechanism": "fall_low_energy", "groin_or_deep_hip_pain": "present"}
HOT_HIP = {"groin_or_deep_hip_pain": "present", "can_bear_weight": "no", "fever": "present"}
RUNNER = {"endurance_athlete": "present", "groin_or_deep_hip_pain": "present", "can_bear_weight": "no"}
STROKE = {
    "onset": "sudden",
    "duration_days": 7,
    "mechanism": "none",
    "limiting_factor": "weakness",
    "pain_score": 4,
    "atrial_fibrillation_or_vascular_risk": "present",
}
SEVERE = {
    "mrc_hip_flexion_left": 2,
    "onset": "subacute",
    "duration_days": 14,
    "limiting_factor": "weakness",
    "back_pain": "present",
}
YOUNG_STROKE = {**STROKE, "atrial_fibrillation_or_vascular_risk": "absent"}
GROWING = {"limiting_factor": "weakness", "progression": "worsening_months"}
UNSEEN_FALL = {
    "age": 75,
    "can_bear_weight": "no",
    "duration_days": 14,
    "onset": "subacute",
    "mechanism": "unknown",
    "groin_or_deep_hip_pain": "unknown",
}
CHILD = {"age": 15, "onset": "subacute", "limiting_factor": "weakness", "mechanism": "unknown"}
CRASH = {"mechanism": "high_energy_trauma", "groin_or_deep_hip_pain": "present"}
PUNCTURE = {
    "mechanism": "after_procedure",
    "onset": "subacute",
    "duration_days": 42,
    "limiting_factor": "weakness",
}
WASTING_AWAY = {
    "back_pain": "present",
    "unexplained_weight_loss": "present",
    "age": 50,
    "limiting_factor": "weakness",
}
ACUTE_HIP = {
    "groin_or_deep_hip_pain": "present",
    "can_bear_weight": "no",
    "onset": "subacute",
    "duration_days": 14,
}
OLD_CES = {"saddle_numbness": "longstanding_unchanged", "saddle_sensation": "reduced", "prior_treated_ces": "present"}

ROWS = [
    Row(
        "SE1",
        {"onset": "sudden", "bladder_change": "new_or_worse"},
        {"onset": "gradual", "bladder_change": "new_or_worse"},  # XE1 fires instead
        {"onset": "unknown", "bladder_change": "new_or_worse"},
        ["symptoms.onset"],
    ),
    Row(
        "SE2",
        {"saddle_numbness": "new_or_worse"},
        OLD_CES,  # a documented baseline
        {"saddle_numbness": "unknown"},
        ["symptoms.saddle_numbness"],
    ),
    Row(
        "SE3",
        {"side": "both", "progression": "worsening_weeks"},
        {"side": "both", "progression": "worsening_months"},  # slow
        {"side": "both", "progression": None},
        ["symptoms.progression"],
    ),
    Row(
        "XE1",
        {"bowel_change": "new_or_worse"},
        {"bowel_change": "longstanding_unchanged"},
        {"bladder_change": "unknown"},
        ["symptoms.bladder_change"],
    ),
    Row(
        "XE2",
        {"post_void_residual_ml": 200},
        {"post_void_residual_ml": 199},
        {"sexual_dysfunction_new": "not_asked"},
        ["symptoms.sexual_dysfunction_new"],
    ),
    Row(
        "XE3",
        {"bilateral_sciatica": "new_or_worse"},
        {"bilateral_sciatica": "longstanding_unchanged"},
        {"bilateral_sciatica": None},
        ["symptoms.bilateral_sciatica"],
    ),
    Row(
        "XE4",
        {"bilateral_leg_weakness": "present", "onset": "sudden", "duration_days": 14},
        {"bilateral_leg_weakness": "present", "onset": "sudden", "duration_days": 14.5},
        {"bilateral_leg_weakness": "present", "onset": "sudden", "duration_days": None},
        ["symptoms.duration_days"],
    ),
    Row(
        "XE5",
        {"side": "both", "onset": "subacute", "areflexia_legs": "present"},
        {"side": "both", "onset": "subacute", "areflexia_legs": None},  # not tested is not a sign
        {"side": "both", "onset": "subacute", "areflexia_legs": "unknown"},  # asked, and nobody can say
        ["examination.areflexia_legs"],
    ),
    Row(
        "XE6",
        {"swallowing_difficulty": "new_or_worse"},
        {"swallowing_difficulty": "longstanding_unchanged", "limiting_factor": "weakness"},  # as always, and stable
        {"swallowing_difficulty": None},
        ["symptoms.swallowing_difficulty"],
    ),
    Row(
        "XE7",
        {"sensory_level": "present", "onset": "subacute", "duration_days": 42},
        {"sensory_level": "present"},  # slow, and no danger sign: route FR7
        {"sensory_level": "present", "onset": None, "duration_days": 42},
        ["symptoms.onset"],
    ),
    Row(
        "XE8",
        {"cancer": "past", "back_pain": "present"},
        {"cancer": "past"},
        {"cancer": None, "back_pain": "present"},
        ["history.cancer"],
    ),
    Row(
        "XE9",
        {"back_pain": "present", "temperature_c": 38.0},
        {"back_pain": "present", "temperature_c": 37.9},
        {"back_pain": "present", "fever": "unknown", "iv_drug_use": None},
        ["symptoms.fever", "history.iv_drug_use"],
    ),
    Row(
        "XE10",
        HOT_HIP,
        {**HOT_HIP, "fever": "absent", "crp_mg_l": 49.9, "wbc_10e9_l": 14.9},
        {**HOT_HIP, "fever": None, "temperature_c": 36.5},  # a normal temperature does not rule out fever
        ["symptoms.fever"],
    ),
    Row(
        "XE11",
        {"cold_pale_limb": "present"},
        {"distal_pulses": "absent"},  # slow
        {"distal_pulses": "absent", "onset": "unknown"},
        ["symptoms.onset"],
    ),
    Row(
        "XE12",
        {"syncope": "present", "onset": "sudden", "age": 50},
        {"syncope": "present", "onset": "sudden", "age": 49},
        {"syncope": "present", "onset": "sudden", "age": None},
        ["patient.age_years"],
    ),
    Row(
        "XE13",
        STROKE,
        {**STROKE, "pain_score": 4.5},  # pain ends "painless"
        {**STROKE, "pain_score": None},
        ["symptoms.pain_score"],
    ),
    Row(
        "XE14",
        {"mechanism": "high_energy_trauma", "back_pain": "present"},
        {"mechanism": "high_energy_trauma"},
        {"mechanism": "high_energy_trauma", "limiting_factor": "unsure"},
        ["symptoms.limiting_factor"],
    ),
    Row(
        "XE15",
        {"recent_spinal_procedure": "present", "duration_days": 14, "limiting_factor": "weakness"},
        {"recent_spinal_procedure": "present", "duration_days": 15, "limiting_factor": "weakness"},
        {"recent_spinal_procedure": "unknown", "duration_days": 14, "limiting_factor": "weakness"},
        ["history.recent_spinal_procedure"],
    ),
    Row("XE16", CHILD, {**CHILD, "age": 16}, {**CHILD, "limiting_factor": "unsure"}, ["symptoms.limiting_factor"]),
    Row(
        "XE17",
        {"systolic_bp": 90},
        {"systolic_bp": 91, "heart_rate": 130},
        None,  # findings that were not tested are none, and an unknown age counts as adult
        [],
    ),
    Row(
        "XE18",
        {**CRASH, "can_bear_weight": "no"},
        {**CRASH, "can_bear_weight": "with_difficulty"},
        {**CRASH, "can_bear_weight": "unknown"},
        ["symptoms.can_bear_weight"],
    ),
    Row(
        "XU1",
        BLEEDING,
        {**BLEEDING, "duration_days": 43},
        {**BLEEDING, "anticoagulant": None},
        ["history.anticoagulant"],
    ),
    Row(
        "XU1E",
        {**BLEEDING, "heart_rate": 111},
        {**BLEEDING, "heart_rate": 110, "systolic_bp": 100},
        {**BLEEDING, "syncope": "unknown"},
        ["symptoms.syncope"],
    ),
    Row(
        "XU2",
        {**FALL, "age": 60},
        {**FALL, "age": 59},
        {**FALL, "age": 59, "osteoporosis_or_steroids": None},
        ["history.osteoporosis_or_steroids"],
    ),
    Row(
        "XU3",
        {"hip_prosthesis": "present", "onset": "sudden", "groin_or_deep_hip_pain": "present"},
        {"hip_prosthesis": "present", "onset": "subacute", "groin_or_deep_hip_pain": "present"},
        {"hip_prosthesis": None, "onset": "sudden", "groin_or_deep_hip_pain": "present"},
        ["history.hip_prosthesis"],
    ),
    Row(
        "XU4",
        {"cannot_straighten_knee": "present", "mechanism": "lifting"},
        {"cannot_straighten_knee": "present", "mechanism": "none"},
        {"cannot_straighten_knee": "present", "mechanism": "unknown"},
        ["symptoms.mechanism"],
    ),
    Row(
        "XU5",
        {"age": 17, "anterior_thigh_pain_radiating": "present", "can_bear_weight": "with_difficulty"},
        {"age": 18, "anterior_thigh_pain_radiating": "present", "can_bear_weight": "with_difficulty"},
        {"age": 15, "knee_pain": "present", "can_bear_weight": None},
        ["symptoms.can_bear_weight"],
    ),
    Row(
        "XU6",
        {**RUNNER, "mechanism": "unknown"},  # an unknown mechanism is no certain injury
        {**RUNNER, "mechanism": "lifting"},
        {**RUNNER, "mechanism": "none", "endurance_athlete": None},
        ["history.endurance_athlete"],
    ),
    Row(
        "XU7",
        {"progression": "worsening_days", "limiting_factor": "weakness"},
        {"progression": "worsening_days", "limiting_factor": "pain"},
        {"progression": "worsening_days", "limiting_factor": "unsure"},
        ["symptoms.limiting_factor"],
    ),
    Row(
        "XU8",
        SEVERE,
        {**SEVERE, "mrc_hip_flexion_left": 2.5},
        {**SEVERE, "back_pain": "unknown"},  # two points are certain, the third is not known
        ["symptoms.back_pain"],
    ),
    Row(
        "XU9",
        {"cancer": "current", "lateral_hip_pain": "present"},
        {"cancer": "none", "lateral_hip_pain": "present"},
        {"cancer": None, "lateral_hip_pain": "present"},
        ["history.cancer"],
    ),
    Row(
        "XU10",
        {"fever": "present", "groin_or_deep_hip_pain": "present"},
        {**HOT_HIP},  # XE10 has fired
        {"fever": "unknown", "groin_or_deep_hip_pain": "present"},
        ["symptoms.fever"],
    ),
    Row(
        "XU13",
        {"saddle_numbness": "longstanding_unchanged"},
        {"saddle_numbness": "longstanding_unchanged", "prior_treated_ces": "present"},
        {"saddle_numbness": "longstanding_unchanged", "prior_treated_ces": None},
        ["history.prior_treated_ces"],
    ),
    Row(
        "XU14",
        PUNCTURE,
        {**PUNCTURE, "duration_days": 43},
        {**PUNCTURE, "limiting_factor": "unsure"},
        ["symptoms.limiting_factor"],
    ),
    Row(
        "XU15",
        WASTING_AWAY,
        {**WASTING_AWAY, "age": 49},
        {**WASTING_AWAY, "unexplained_weight_loss": "unknown"},
        ["symptoms.unexplained_weight_loss"],
    ),
    Row(
        "XU16",
        ACUTE_HIP,
        {**ACUTE_HIP, "fever": "present"},  # XE10 has fired
        {**ACUTE_HIP, "can_bear_weight": "unknown"},
        ["symptoms.can_bear_weight"],
    ),
    Row("XU11", {"onset": "unknown"}, {}, None, []),
    Row(
        "XU12",
        {"free_text": "I wet myself"},
        {"free_text": "I wet myself", "bladder_change": "longstanding_unchanged"},
        None,
        [],
    ),
]

# Single edges beside the table: rule, answers, whether it fires.
EDGES = [
    ("SE2", {"saddle_sensation": "absent"}, True),  # a measurement beats the box
    ("SE2", {**OLD_CES, "prior_treated_ces": None}, True),  # no documented baseline
    ("SE3", {"bilateral_leg_weakness": "present", "progression": "worsening_days"}, True),
    ("XE2", {"anal_tone": "reduced"}, True),
    ("XE2", {"anal_tone": "unknown"}, False),  # not a yes-or-no finding, so not tested
    (
        "XE5",
        {"side": "both", "onset": "sudden", "recent_infection_6w": "present", "progression": "worsening_days"},
        True,
    ),
    ("XE6", {"swallowing_difficulty": "longstanding_unchanged", **GROWING}, True),  # weakness grows with it
    ("XE6", {"breathlessness_rest_or_lying": "longstanding_unchanged", **GROWING, "limiting_factor": "pain"}, False),
    ("XE7", {"sensory_level": "present", "onset": "subacute", "duration_days": 43}, False),  # older, and stable
    ("XE7", {"upper_motor_neuron_signs": "present", "cancer": "past"}, True),
    (
        "XE8",
        {"cancer": "past", "mrc_knee_extension_left": 4, "cannot_straighten_knee": "present", "mechanism": "lifting"},
        True,
    ),
    ("XE8", {"cancer": "past", "mrc_knee_extension_right": 4}, False),  # not the affected leg
    ("XE8", {"cancer": "past", "mrc_knee_extension_right": 4, "side": "unknown"}, True),  # either leg may be
    ("XE10", {"groin_or_deep_hip_pain": "present", "fever": "present", "passive_hip_rom": "restricted"}, False),
    ("XE10", {**HOT_HIP, "fever": "absent", "crp_mg_l": 50}, True),  # infected without fever
    ("XE10", {**HOT_HIP, "fever": "absent", "systemically_unwell": "present"}, True),
    ("XE10", {**HOT_HIP, "fever": "absent", "wbc_10e9_l": 15}, True),
    ("XE11", {"onset": "sudden", "distal_pulses": "absent"}, True),
    ("XE12", {"known_aaa": "present", "onset": "subacute"}, True),
    ("XE12", {"systolic_bp": 99, "onset": "sudden", "age": 50, "back_pain": "present"}, True),
    ("XE12", {"systolic_bp": 99, "onset": "sudden", "age": 49, "back_pain": "present"}, False),
    ("XE12", {"systolic_bp": 100, "onset": "sudden", "age": 50, "back_pain": "present"}, False),  # no shock
    ("XE13", {"fast_speech": "present"}, True),
    ("XE13", {**STROKE, "back_pain": "present"}, True),  # back pain does not end "painless"
    ("XE13", {**YOUNG_STROKE, "age": 16, "duration_days": 1}, True),
    ("XE13", {**YOUNG_STROKE, "age": 16, "duration_days": 2}, False),
    ("XE17", {"heart_rate": 131}, True),
    ("XE17", {"heart_rate": 131, "age": 15}, False),  # a healthy child's pulse
    ("XE17", {"heart_rate": 131, "age": None}, True),
    ("XE18", {"mechanism": "high_energy_trauma", "leg_short_externally_rotated": "present"}, True),
    ("XU1", {**BLEEDING, "anticoagulant": "absent", "mechanism": "after_procedure"}, True),
    ("XU1E", {**BLEEDING, "haemoglobin_g_l": 89.9}, True),
    ("XU1E", {**BLEEDING, "haemoglobin_g_l": 90}, False),
    ("XU2", {**FALL, "age": 30, "can_bear_weight": "no"}, True),
    ("XU2", {"leg_short_externally_rotated": "present", "onset": "subacute", "age": 30}, True),
    ("XU2", UNSEEN_FALL, True),  # neither the fall nor the pain is ruled out
    ("XU2", {**UNSEEN_FALL, "mechanism": "none"}, False),
    ("XU2", {**UNSEEN_FALL, "age": 74}, False),
    ("XU4", {"cannot_straighten_knee": "present", "onset": "sudden", "knee_pain": "present"}, True),
    ("XU5", {"age": 17, "lateral_hip_pain": "present", "passive_hip_rom": "restricted"}, True),  # stiff
    ("XU6", {**RUNNER, "mechanism": "after_procedure"}, True),  # any mechanism that is no injury
    ("XU13", {"bladder_change": "longstanding_unchanged", "knee_reflex_left": "absent"}, True),
    ("XU13", {"bladder_change": "longstanding_unchanged"}, False),  # without a nerve sign
    ("XU14", {**PUNCTURE, "limiting_factor": "pain", "mrc_knee_extension_left": 4}, True),
    ("XU15", {**WASTING_AWAY, "cancer": "past"}, False),  # XE8
    ("XU16", {**ACUTE_HIP, "duration_days": 15}, False),
    ("XE13", {**STROKE, "mechanism": "lifting"}, False),  # explained
    ("XE13", {**STROKE, "side": "unknown", "bilateral_leg_weakness": "unknown"}, True),  # both legs are not certain
    ("XU2", {"prior_xray_hip": "fracture"}, True),
    ("XU2", {"mechanism": "fall_low_energy", "age": 60, "can_bear_weight": "no"}, True),
    (
        "XU2",
        {"mechanism": "fall_low_energy", "age": 60, "can_bear_weight": "no", "cannot_straighten_knee": "present"},
        False,  # XU4 explains it
    ),
    ("XU7", {"progression": "worsening_days", "knee_reflex_left": "reduced"}, True),
    ("XU7", {"progression": "worsening_days", "knee_reflex_right": "reduced"}, False),
    ("XU7", {"progression": "worsening_days", "limiting_factor": "weakness", "side": "both"}, False),  # SE3
    ("XU8", {**SEVERE, "back_pain": "absent", "hoover_sign": "positive"}, False),  # Hoover never counts here
    ("XU8", {**SEVERE, "mechanism": "kick_or_forced_flexion", "sharp_groin_pain_at_onset": "present"}, False),
    ("XU9", {"cancer": "past", "lateral_hip_pain": "present", "back_pain": "present"}, False),  # XE8
    ("XU9", {"prior_xray_hip": "lesser_trochanter_avulsion", "age": 18}, True),
    ("XU9", {"prior_xray_hip": "lesser_trochanter_avulsion", "age": 17}, False),
    ("XU10", {**HOT_HIP, "psoas_sign": "present"}, True),  # even beside XE10
    ("XU11", {"side": "unknown", "duration_days": 14.5, "onset": "gradual"}, False),
    ("XU11", {"iv_drug_use": None, "back_pain": "present"}, False),  # XE9 possible, but an old, stable back
    ("XU11", {"iv_drug_use": None, "back_pain": "present", "progression": "fluctuating"}, True),
    ("XU11", {"iv_drug_use": None, "back_pain": "present", "duration_days": 42}, True),
    ("XU11", {"bladder_change": "unknown", "fast_face": "present"}, False),  # an emergency has fired
    ("XU12", {"free_text": "denies incontinence"}, False),
]
