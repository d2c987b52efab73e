"""The fields that each condition names, directly or through facts (triage specification, part 4 step 15.2)."""

import re
from functools import cache

IN_FACTS = """
    SUDDEN: onset
    GRADUAL: onset
    NOT_GRADUAL: onset
    WORSENING_RECENT: progression
    INJURY: mechanism
    IMPACT: mechanism
    BILATERAL: side bilateral_leg_weakness
    ONE_LEG: BILATERAL
    WEAKNESS: limiting_factor
    FEBRILE: fever temperature_c
    INFECTED: FEBRILE systemically_unwell crp_mg_l wbc_10e9_l
    WB_IMPAIRED: can_bear_weight
    CANCER: cancer
    SPHINCTER_NEW: bladder_change bowel_change
    CORD_SIGN: upper_motor_neuron_signs sensory_level
    ROOT_SIGN: REFLEX_LOSS STRETCH_POSITIVE
    NEURO_SIGN: ROOT_SIGN KNEE_EXTENSION_WEAK
    NEURO_OBJ: ROOT_SIGN KNEE_EXTENSION_WEAK
    FAST: fast_face fast_arm fast_speech
    PAINLESS: groin_or_deep_hip_pain anterior_thigh_pain_radiating lateral_hip_pain knee_pain pain_score WEAKNESS
    ALARM_ANSWER: FEBRILE systemically_unwell SHOCK can_bear_weight progression areflexia_legs suprapatellar_gap
        leg_short_externally_rotated psoas_sign distal_pulses
    SHOCK: heart_rate systolic_bp syncope
    UNSTABLE: systolic_bp heart_rate age_years
    SADDLE_BASELINE: prior_treated_ces saddle_numbness
    SACRAL_DEFICIT_UNTREATED: saddle_numbness bladder_change bowel_change NEURO_SIGN prior_treated_ces
    ACUTE_CONTEXT: NOT_GRADUAL duration_days WORSENING_RECENT bilateral_sciatica back_pain GRADUAL progression
    LONGSTANDING_DEFICIT: bladder_change bowel_change saddle_numbness
    NEW_PROBLEM: NOT_GRADUAL duration_days WORSENING_RECENT
    TIME_CONTRADICTION: SUDDEN progression GRADUAL duration_days
    UNEXPLAINED: mechanism
    REFLEX_LOSS: side
    STRETCH_POSITIVE: side
    PASSIVE_SLR_POSITIVE: side
    KNEE_EXTENSION_WEAK: side
    HIP_FLEXION_2_OR_LESS: side
    SIDE_CONTRADICTION: side
    NERVE_AT_LEAST_3: NERVE
    STRAIN_BELOW_3: STRAIN
    NERVE_LEADS: NERVE STRAIN DISUSE JOINT
    STRAIN_LEADS: NERVE STRAIN DISUSE JOINT
    DISUSE_LEADS: NERVE STRAIN DISUSE JOINT
    JOINT_LEADS: NERVE STRAIN DISUSE JOINT
    NOTHING_REACHES_3: NERVE STRAIN DISUSE JOINT
    MUSCLE_OR_JOINT_AT_LEAST_3: NERVE STRAIN DISUSE JOINT
    NERVE_WITHOUT_HOOVER_BELOW_3: NERVE STRAIN DISUSE JOINT
    INCOMPLETE:
    NERVE: WEAKNESS anterior_thigh_pain_radiating anterior_thigh_numbness_tingling REFLEX_LOSS STRETCH_POSITIVE
        back_pain known_lumbar_pathology KNEE_EXTENSION_WEAK PASSIVE_SLR_POSITIVE hoover_sign
    STRAIN: mechanism sharp_groin_pain_at_onset resisted_hip_flexion_painful pain_worse_on_hip_flexion
        iliopsoas_tenderness_or_defect
    DISUSE: prolonged_disuse GRADUAL muscle_wasting
    JOINT: limiting_factor groin_or_deep_hip_pain lateral_hip_pain pinching_or_catching known_hip_osteoarthritis
        passive_hip_rom fadir faber log_roll
"""
IN_RULES = """
    SE1: SUDDEN SPHINCTER_NEW
    SE2: saddle_numbness saddle_sensation SADDLE_BASELINE
    SE3: BILATERAL WORSENING_RECENT
    XE1: SPHINCTER_NEW
    XE2: sexual_dysfunction_new anal_tone post_void_residual_ml
    XE3: bilateral_sciatica
    XE4: BILATERAL SUDDEN duration_days
    XE5: BILATERAL NOT_GRADUAL areflexia_legs recent_infection_6w WORSENING_RECENT
    XE6: breathlessness_rest_or_lying swallowing_difficulty WEAKNESS progression
    XE7: CORD_SIGN NOT_GRADUAL duration_days WORSENING_RECENT SPHINCTER_NEW CANCER
    XE8: CANCER back_pain NEURO_SIGN upper_motor_neuron_signs BILATERAL NOT_GRADUAL WEAKNESS
    XE9: back_pain FEBRILE iv_drug_use recent_spinal_procedure
    XE10: groin_or_deep_hip_pain INFECTED can_bear_weight systemically_unwell hip_prosthesis passive_hip_rom
        passive_hip_rom_painful
    XE11: cold_pale_limb NOT_GRADUAL distal_pulses
    XE12: sudden_abdominal_or_tearing_pain NOT_GRADUAL known_aaa syncope SUDDEN age_years SHOCK back_pain
        groin_or_deep_hip_pain
    XE13: FAST SUDDEN PAINLESS UNEXPLAINED ONE_LEG duration_days atrial_fibrillation_or_vascular_risk age_years
    XE14: mechanism back_pain WEAKNESS BILATERAL
    XE15: recent_spinal_procedure duration_days WEAKNESS
    XE16: age_years NOT_GRADUAL WEAKNESS UNEXPLAINED
    XE17: UNSTABLE
    XE18: mechanism leg_short_externally_rotated groin_or_deep_hip_pain can_bear_weight
    XU1: anticoagulant bleeding_disorder mechanism groin_or_deep_hip_pain back_pain
        anterior_thigh_pain_radiating NOT_GRADUAL duration_days
    XU1E: anticoagulant bleeding_disorder mechanism groin_or_deep_hip_pain back_pain
        anterior_thigh_pain_radiating NOT_GRADUAL duration_days SHOCK haemoglobin_g_l
    XU2: prior_xray_hip IMPACT age_years osteoporosis_or_steroids NOT_GRADUAL UNEXPLAINED can_bear_weight
        groin_or_deep_hip_pain leg_short_externally_rotated WB_IMPAIRED duration_days
    XU3: hip_prosthesis SUDDEN groin_or_deep_hip_pain
    XU4: cannot_straighten_knee suprapatellar_gap INJURY SUDDEN knee_pain
    XU5: age_years groin_or_deep_hip_pain lateral_hip_pain knee_pain anterior_thigh_pain_radiating WB_IMPAIRED
        passive_hip_rom
    XU6: endurance_athlete groin_or_deep_hip_pain WB_IMPAIRED INJURY
    XU7: ONE_LEG progression WEAKNESS NEURO_OBJ
    XU8: HIP_FLEXION_2_OR_LESS NOT_GRADUAL duration_days NERVE_AT_LEAST_3 STRAIN_BELOW_3
    XU9: CANCER groin_or_deep_hip_pain lateral_hip_pain prior_xray_hip age_years
    XU10: INFECTED groin_or_deep_hip_pain back_pain psoas_sign
    XU13: SACRAL_DEFICIT_UNTREATED
    XU14: mechanism NOT_GRADUAL duration_days WEAKNESS NEURO_SIGN
    XU15: back_pain unexplained_weight_loss age_years WEAKNESS NEURO_SIGN
    XU16: groin_or_deep_hip_pain can_bear_weight NOT_GRADUAL duration_days
"""
IN_ROUTES = """
    FR1: INCOMPLETE
    FR2: SIDE_CONTRADICTION TIME_CONTRADICTION
    FR3: LONGSTANDING_DEFICIT NEW_PROBLEM prior_treated_ces
    FR6: CORD_SIGN MUSCLE_OR_JOINT_AT_LEAST_3
    FR7: CORD_SIGN
    FR4: cannot_lift_leg_supine GRADUAL
    FR5: cannot_lift_leg_supine
    SN0: NERVE_LEADS hoover_sign NERVE_WITHOUT_HOOVER_BELOW_3
    SN1: NERVE_LEADS
    SN2: WEAKNESS progression muscle_wasting BILATERAL
    SM1A: STRAIN_LEADS duration_days
    SM1: STRAIN_LEADS
    SM2: DISUSE_LEADS ROOT_SIGN
    SJ2: JOINT_LEADS limiting_factor passive_hip_rom
    SJ1A: JOINT_LEADS pinching_or_catching
    SJ1: JOINT_LEADS
    SC1: NOTHING_REACHES_3 GRADUAL
    SC1A: NOTHING_REACHES_3
    MX1: ROOT_SIGN
    MX2:
"""
IN_FLOORS = """
    SP1: SUDDEN UNEXPLAINED
    FP1: pregnancy_status
    FP2: age_years
    FP3: CANCER
    FP4: unexplained_weight_loss age_years
    FP5: NERVE_LEADS duration_days progression
    FP6: ALARM_ANSWER
    FP7: BILATERAL progression
"""


def read_lines(table: str) -> dict[str, list[str]]:
    parts = re.split(r"(\w+):", table)[1:]
    return dict(zip(parts[::2], (names.split() for names in parts[1::2]), strict=True))


FACTS, RULES, ROUTES, FLOORS = (read_lines(table) for table in (IN_FACTS, IN_RULES, IN_ROUTES, IN_FLOORS))


@cache
def fields_in(condition: str) -> frozenset[str]:
    """The fields of a rule, route, floor or fact, through facts at any depth."""
    names = (FACTS | RULES | ROUTES | FLOORS)[condition]
    inner = [fields_in(name) if name in FACTS else {name} for name in names]
    return frozenset().union(*inner)
