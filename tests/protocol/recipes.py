"""Answers that lead to each rule, route and floor, as changes to a calm, complete form."""

from .bodies import Answers
from .calm import calm

SUDDEN = {"onset": "sudden", "duration_days": 3}
SUBACUTE = {"onset": "subacute", "duration_days": 10}
BLEED = SUBACUTE | {"anticoagulant": "present", "groin_or_deep_hip_pain": "present", "limiting_factor": "pain"}
NERVE = {"anterior_thigh_pain_radiating": "present", "anterior_thigh_numbness_tingling": "present"}
STRAIN = {
    "mechanism": "kick_or_forced_flexion",
    "sharp_groin_pain_at_onset": "present",
    "pain_worse_on_hip_flexion": "present",
    "limiting_factor": "pain",
}
OPEN_LIMIT = {"limiting_factor": "unsure"}
JOINT = {
    "limiting_factor": "pain",
    "groin_or_deep_hip_pain": "present",
    "known_hip_osteoarthritis": "present",
}
MIXED = NERVE | {"limiting_factor": "block", "known_hip_osteoarthritis": "present"}

PRIORITY_WAKE_UP: dict[str, Answers] = {
    "SE1": SUDDEN | {"bladder_change": "new_or_worse"},
    "SE2": {"saddle_sensation": "reduced"},
    "SE2 box": {"saddle_numbness": "new_or_worse"},
    "SE2 baseline": {"saddle_sensation": "absent", "saddle_numbness": "longstanding_unchanged"},
    "SE3": {"bilateral_leg_weakness": "present", "progression": "worsening_weeks"},
    "XE1": {"bowel_change": "new_or_worse"},
    "XE2": {"sexual_dysfunction_new": "present"},
    "XE2 residual": {"post_void_residual_ml": 200},
    "XE3": {"bilateral_sciatica": "new_or_worse"},
    "XE3 old answer": {"bilateral_sciatica": "present"},
    "XE4": SUDDEN | {"side": "both"},
    "XE5": SUBACUTE | {"side": "both", "areflexia_legs": "present"},
    "XE5 infection": SUBACUTE | {"side": "both", "recent_infection_6w": "present", "progression": "worsening_weeks"},
    "XE6": {"swallowing_difficulty": "new_or_worse"},
    "XE6 old answer": {"breathlessness_rest_or_lying": "present"},
    "XE6 growing": {"breathlessness_rest_or_lying": "longstanding_unchanged", "progression": "worsening_months"},
    "XE6 fluctuating": {"swallowing_difficulty": "longstanding_unchanged", "progression": "fluctuating"},
    "XE7": {"upper_motor_neuron_signs": "present", "progression": "worsening_weeks"},
    "XE7 recent": {"sensory_level": "present", "onset": "subacute", "duration_days": 42, "mechanism": "other"},
    "XE8": {"cancer": "past", "back_pain": "present"},
    "XE9": {"back_pain": "present", "fever": "present"},
    "XE9 needle": {"back_pain": "present", "iv_drug_use": "present"},
    "XE10": {"groin_or_deep_hip_pain": "present", "temperature_c": 38.0, "can_bear_weight": "no"},
    "XE10 stiff": {
        "groin_or_deep_hip_pain": "present",
        "fever": "present",
        "passive_hip_rom": "restricted",
        "passive_hip_rom_painful": "present",
    },
    "XE10 blood": {
        "groin_or_deep_hip_pain": "present",
        "crp_mg_l": 50,
        "passive_hip_rom": "blocked",
        "passive_hip_rom_painful": "present",
        "limiting_factor": "pain",
    },
    "XE11": {"cold_pale_limb": "present"},
    "XE11 pulses": SUBACUTE | {"distal_pulses": "absent", "back_pain": "present"},
    "XE12": {"sudden_abdominal_or_tearing_pain": "present"},
    "XE12 syncope": SUDDEN | {"syncope": "present", "age_years": 50},
    "XE12 shock": SUBACUTE | {"systolic_bp": 99, "age_years": 50, "back_pain": "present", "limiting_factor": "pain"},
    "XE13": {"fast_arm": "present"},
    "XE13 silent": SUDDEN | {"age_years": 60, "pain_score": 4, "back_pain": "present"},
    "XE13 fibrillation": SUDDEN
    | {"atrial_fibrillation_or_vascular_risk": "present", "pain_score": 0, "duration_days": 7},
    "XE13 within a day": {"onset": "sudden", "duration_days": 1, "age_years": 16},
    "XE14": {"mechanism": "high_energy_trauma"},
    "XE14 with fever": {"mechanism": "high_energy_trauma", "back_pain": "present", "fever": "present"},
    "XE15": {"recent_spinal_procedure": "present", "onset": "subacute", "duration_days": 14},
    "XE16": SUBACUTE | {"age_years": 15},
    "XE17": {"systolic_bp": 90},
    "XE17 pulse": {"heart_rate": 131, "age_years": 16},
    "XE18": {"mechanism": "high_energy_trauma", "limiting_factor": "pain", "leg_short_externally_rotated": "present"},
    "XE18 standing": {"mechanism": "high_energy_trauma", "limiting_factor": "pain"}
    | {"groin_or_deep_hip_pain": "present", "can_bear_weight": "no"},
    "XU1": BLEED | {"duration_days": 42},
    "XU1 puncture": SUBACUTE
    | {"mechanism": "after_procedure", "anterior_thigh_pain_radiating": "present", "limiting_factor": "pain"},
    "XU1E": BLEED | {"heart_rate": 111},
    "XU1E blood loss": BLEED | {"haemoglobin_g_l": 89.9},
    "XU2": {"mechanism": "fall_low_energy", "age_years": 60, "groin_or_deep_hip_pain": "present"}
    | {"limiting_factor": "pain"},
    "XU2 limp": {"mechanism": "direct_blow", "osteoporosis_or_steroids": "present", "can_bear_weight": "no"},
    "XU2 insufficiency": SUBACUTE
    | {"osteoporosis_or_steroids": "present", "can_bear_weight": "no", "limiting_factor": "pain"}
    | {"prior_xray_hip": "normal"},
    "XU2 seen": {"prior_xray_hip": "fracture"},
    "XU2 knocked": {"mechanism": "direct_blow", "groin_or_deep_hip_pain": "present", "can_bear_weight": "no"},
    "XU2 turned out": SUBACUTE | {"leg_short_externally_rotated": "present", "limiting_factor": "pain"},
    "XU2 unseen": {"age_years": 75, "can_bear_weight": "no", "mechanism": "unknown"}
    | {"onset": "subacute", "duration_days": 14, "groin_or_deep_hip_pain": "unknown", "limiting_factor": "pain"},
    "XU3": SUDDEN | {"hip_prosthesis": "present", "groin_or_deep_hip_pain": "present"},
    "XU4": {"cannot_straighten_knee": "present", "mechanism": "lifting"},
    "XU4 gap": {"cannot_straighten_knee": "present", "suprapatellar_gap": "present"},
    "XU4 snapped": SUDDEN | {"cannot_straighten_knee": "present", "knee_pain": "present", "mechanism": "other"},
    "XU5": {"age_years": 15, "knee_pain": "present", "can_bear_weight": "with_difficulty"},
    "XU5 crosstable": {"age_years": 12, "lateral_hip_pain": "present", "can_bear_weight": "no"},
    "XU5 thigh": {"age_years": 17, "anterior_thigh_pain_radiating": "present", "passive_hip_rom": "restricted"},
    "XU5 stiff": {"age_years": 17, "groin_or_deep_hip_pain": "present", "passive_hip_rom": "blocked"}
    | {"can_bear_weight": "unknown"},
    "XU5 beside a septic hip": {"age_years": 9, "groin_or_deep_hip_pain": "present", "can_bear_weight": "no"}
    | {"wbc_10e9_l": 15},
    "XU6": {
        "endurance_athlete": "present",
        "groin_or_deep_hip_pain": "present",
        "can_bear_weight": "with_difficulty",
    },
    "XU6 over a normal X-ray": SUBACUTE
    | {"endurance_athlete": "present", "osteoporosis_or_steroids": "present", "prior_xray_hip": "normal"}
    | {"groin_or_deep_hip_pain": "present", "can_bear_weight": "no"},
    "XU5 with a fracture": {"age_years": 15, "prior_xray_hip": "fracture"}
    | {"knee_pain": "present", "can_bear_weight": "with_difficulty"},
    "XU7": {"progression": "worsening_days"},
    "XU7 knee": {
        "progression": "worsening_days",
        "limiting_factor": "pain",
        "mrc_knee_extension_left": 4,
    },
    "XU8": SUBACUTE | {"mrc_hip_flexion_left": 2, "back_pain": "present"},
    "XU9": {"cancer": "current", "lateral_hip_pain": "present"},
    "XU9 avulsion": {"prior_xray_hip": "lesser_trochanter_avulsion", "age_years": 18},
    "XU10": {"fever": "present", "groin_or_deep_hip_pain": "present", "limiting_factor": "pain"},
    "XU10 psoas": {"fever": "present", "back_pain": "present", "psoas_sign": "present"},
    "XU10 blood": {"wbc_10e9_l": 15, "back_pain": "present", "limiting_factor": "pain"},
    "XU13": {"saddle_numbness": "longstanding_unchanged"},
    "XU13 sphincter": {"bowel_change": "longstanding_unchanged", "knee_reflex_left": "absent"},
    "XU13 unknown": {"saddle_numbness": "longstanding_unchanged", "prior_treated_ces": "unknown"},
    "XU14": SUBACUTE | {"mechanism": "after_procedure", "duration_days": 42},
    "XU14 knee": SUBACUTE | {"mechanism": "after_procedure", "limiting_factor": "pain", "mrc_knee_extension_left": 4},
    "XU15": {"back_pain": "present", "unexplained_weight_loss": "present", "age_years": 50},
    "XU15 reflex": {"back_pain": "present", "unexplained_weight_loss": "present", "age_years": 63}
    | {"limiting_factor": "pain", "knee_reflex_left": "reduced"},
    "XU16": {"groin_or_deep_hip_pain": "present", "can_bear_weight": "no", "limiting_factor": "pain"}
    | {"onset": "subacute", "duration_days": 14, "mechanism": "other"},
    "XU16 growing": {"groin_or_deep_hip_pain": "present", "can_bear_weight": "no"}
    | {"onset": "sudden", "duration_days": 2, "mechanism": "other"},
    "XU11": SUDDEN | {"bladder_change": "not_asked", "bowel_change": "unknown"},
    "XU11 recent": {"duration_days": 14, "bladder_change": "unknown"},
    "XU11 back": {"back_pain": "unknown", "saddle_numbness": None, "duration_days": 42},
    "XU11 sciatica": {"bilateral_sciatica": "unknown"},
    "XU12": {"free_text": "Wet myself twice since yesterday"},
    "XU12 volume": {"free_text": "PVR 600ml", "progression": "improving"},
    "XU12 beside an old box": {"free_text": "sadle numbness, legs keep buckling", "swallowing_difficulty": "absent"},
}

ROUTES: dict[str, Answers] = {
    "FR1": {"bladder_change": "unknown"},
    "FR1 old backache": {"bladder_change": "unknown", "back_pain": "present", "duration_days": 43},
    "mentioned": {"free_text": "return if incontinent; mother had slurred speech"},
    "FR2 side": {"mrc_hip_flexion_left": 5, "mrc_hip_flexion_right": 4},
    "FR2 time": {"duration_days": 27},
    "FR2 months": {"progression": "worsening_months", "onset": "subacute", "duration_days": 27},
    "FR3": {"bladder_change": "longstanding_unchanged", "prior_treated_ces": "present"},
    "FR4": {"cannot_lift_leg_supine": "absent"},
    "FR5": SUBACUTE | {"cannot_lift_leg_supine": "absent", "mechanism": "other"},
    "FR6": {"sensory_level": "present"} | JOINT,
    "FR7": {"sensory_level": "present"},
    "SN0": OPEN_LIMIT | {"hoover_sign": "positive"},
    "SN1": NERVE,
    "SN2": {"progression": "worsening_months", "muscle_wasting": "present"},
    "SN2 both": {"progression": "worsening_months", "side": "both"},
    "SM1A": STRAIN | {"onset": "sudden", "duration_days": 21},
    "SM1": STRAIN,
    "SM2": {"prolonged_disuse": "present", "mechanism": "immobilisation"},
    "SJ2": {"limiting_factor": "block"},
    "SJ2 range": JOINT | {"passive_hip_rom": "blocked"},
    "SJ1A": JOINT | {"pinching_or_catching": "present"},
    "SJ1": JOINT,
    "SC1": {},
    "SC1A": SUBACUTE | OPEN_LIMIT,
    "MX1": MIXED | {"femoral_stretch_left": "positive"},
    "MX1 disuse": JOINT | {"prolonged_disuse": "present", "muscle_wasting": "present", "knee_reflex_left": "reduced"},
    "MX2": MIXED,
}

FLOORS: dict[str, Answers] = {
    "SP1": {"onset": "sudden", "duration_days": 60, "mechanism": "none"} | JOINT,
    "FP1": {"sex_at_birth": "female", "pregnancy_status": "pregnant"} | JOINT,
    "FP1 block": {"sex_at_birth": "female", "pregnancy_status": "pregnant", "limiting_factor": "block"},
    "FP2": {"age_years": 15} | JOINT,
    "FP3": {"cancer": "past"} | STRAIN,
    "FP4": {"unexplained_weight_loss": "present", "age_years": 50} | JOINT,
    "FP5": NERVE | {"progression": "worsening_months"},
    "FP5 days": NERVE | {"limiting_factor": "pain", "progression": "worsening_days"},
    "FP5 weeks": NERVE | {"progression": "worsening_weeks"},
    "FP5 new": NERVE | {"onset": "subacute", "duration_days": 41, "mechanism": "other"},
    "FP7": {"side": "both", "progression": "fluctuating"} | JOINT,
    "FP7 months": {"bilateral_leg_weakness": "present", "progression": "worsening_months"} | JOINT,
    "FP6": {"systemically_unwell": "present"} | JOINT,
}

RECIPES = {name: calm() | changes for name, changes in (PRIORITY_WAKE_UP | ROUTES | FLOORS).items()}
CHANGES = {name: dict(changes) for name, changes in (PRIORITY_WAKE_UP | ROUTES | FLOORS).items()}
RED_FLAG_RECIPES = [RECIPES[name] for name in PRIORITY_WAKE_UP]
QUIET_RECIPES = [RECIPES[name] for name in ROUTES | FLOORS]
