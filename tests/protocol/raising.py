"""The answers and findings that invariants I12, I13 and I14 speak of (triage specification, part 5)."""

from typing import Any

from .bodies import ABSENT

Change = tuple[str, Any, Any]

COURSES = (
    *("bladder_change", "bowel_change", "saddle_numbness"),
    *("bilateral_sciatica", "breathlessness_rest_or_lying", "swallowing_difficulty"),
)
DANGERS = """
    bilateral_leg_weakness sexual_dysfunction_new cannot_straighten_knee
    fast_face fast_arm fast_speech fever systemically_unwell
    unexplained_weight_loss cold_pale_limb sudden_abdominal_or_tearing_pain syncope anticoagulant
    bleeding_disorder iv_drug_use recent_spinal_procedure recent_infection_6w osteoporosis_or_steroids
    atrial_fibrillation_or_vascular_risk known_aaa hip_prosthesis endurance_athlete
"""
PROGRESSIONS: list[Change] = [
    ("progression", slower, "worsening_days") for slower in ("stable", "improving", "worsening_weeks")
]
QUESTIONS: list[Change] = [
    *((course, "none", "new_or_worse") for course in COURSES),
    *((danger, "absent", "present") for danger in DANGERS.split()),
    ("cancer", "none", "current"),
    ("can_bear_weight", "yes", "no"),
]
SIGNS = """
    upper_motor_neuron_signs sensory_level areflexia_legs suprapatellar_gap leg_short_externally_rotated
    psoas_sign
"""
FINDINGS: list[Change] = [
    *((sign, before, "present") for sign in SIGNS.split() for before in ("absent", ABSENT)),
    *(("saddle_sensation", before, "absent") for before in ("normal", ABSENT)),
    *(("anal_tone", before, "reduced") for before in ("normal", ABSENT)),
    *(("distal_pulses", before, "absent") for before in ("present", ABSENT)),
    *(("temperature_c", before, 39.5) for before in (36.5, ABSENT)),
    *(("heart_rate", before, 140) for before in (70, ABSENT)),
    *(("systolic_bp", before, 80) for before in (130, ABSENT)),
    *(("post_void_residual_ml", before, 480) for before in (0, ABSENT)),
    *(("crp_mg_l", before, 300) for before in (3, ABSENT)),
    *(("wbc_10e9_l", before, 30) for before in (7, ABSENT)),
    *(("haemoglobin_g_l", before, 70) for before in (140, ABSENT)),
    *(("prior_xray_hip", before, "fracture") for before in ("normal", "not_done", ABSENT)),
]
CHANGES: list[Change] = [
    *QUESTIONS,
    *((course, "longstanding_unchanged", "new_or_worse") for course in COURSES),
    *PROGRESSIONS,
    *FINDINGS,
]
REASSURING: list[tuple[str, Any]] = [
    ("hoover_sign", "positive"),
    ("anal_tone", "normal"),
    ("post_void_residual_ml", 0),
    ("passive_slr_left", "negative"),
    ("passive_slr_right", "negative"),
    ("temperature_c", 36.5),
]
