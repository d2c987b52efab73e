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
    "XE3": {"bilateral_sciatica": "present"},
    "XE4": SUDDEN | {"side": "both"},
    "XE5": SUBACUTE | {"side": "both", "areflexia_legs": "present"},
    "XE5 infection": SUBACUTE | {"side": "both", "recent_infection_6w": "present", "progression": "worsening_weeks"},
    "XE6": {"swallowing_difficulty": "present"},
    "XE7": {"upper_motor_neuron_signs": "present", "progression": "worsening_weeks"},
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
    "XE11": {"cold_pale_limb": "present"},
    "XE11 pulses": SUBACUTE | {"distal_pulses": "absent", "back_pain": "present"},
    "XE12": {"sudden_abdominal_or_tearing_pain": "present"},
    "XE12 syncope": SUDDEN | {"syncope": "present", "age_years": 50},
    "XE13": {"fast_arm": "present"},
    "XE13 silent": SUDDEN | {"age_years": 60, "pain_score": 2},
    "XE13 fibrillation": SUDDEN
    | {"atrial_fibrillation_or_vascular_risk": "present", "pain_score": 0, "duration_days": 7},
    "XE14": {"mechanism": "high_energy_trauma"},
    "XE14 with fever": {"mechanism": "high_energy_trauma", "back_pain": "present", "fever": "present"},
    "XE15": {"recent_spinal_procedure": "present", "onset": "subacute", "duration_days": 14},
    "XE16": SUBACUTE | {"age_years": 15},
    "XU1": BLEED | {"duration_days": 42},
    "XU1E": BLEED | {"heart_rate": 111},
    "XU2": {"mechanism": "fall_low_energy", "age_years": 60, "groin_or_deep_hip_pain": "present"}
    | {"limiting_factor": "pain"},
    "XU2 limp": {"mechanism": "direct_blow", "osteoporosis_or_steroids": "present", "can_bear_weight": "no"},
    "XU2 insufficiency": SUBACUTE
    | {"osteoporosis_or_steroids": "present", "can_bear_weight": "no", "limiting_factor": "pain"}
    | {"prior_xray_hip": "normal"},
    "XU2 seen": {"prior_xray_hip": "fracture"},
    "XU3": SUDDEN | {"hip_prosthesis": "present", "groin_or_deep_hip_pain": "present"},
    "XU4": {"cannot_straighten_knee": "present", "mechanism": "lifting"},
    "XU4 gap": {"cannot_straighten_knee": "present", "suprapatellar_gap": "present"},
    "XU5": {"age_years": 15, "knee_pain": "present", "can_bear_weight": "with_difficulty"},
    "XU5 crosstable": {"age_years": 12, "lateral_hip_pain": "present", "can_bear_weight": "no"},
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
    "XU11": SUDDEN | {"bladder_change": "not_asked", "bowel_change": "unknown"},
    "XU11 recent": {"duration_days": 14, "bladder_change": "unknown"},
    "XU11 back": {"back_pain": "unknown", "saddle_numbness": None},
    "XU12": {"free_text": "Wet myself twice since yesterday"},
}

ROUTES: dict[str, Answers] = {
    "FR1": {"bladder_change": "unknown"},
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
    "FP6": {"systemically_unwell": "present"} | JOINT,
}

RECIPES = {name: calm() | changes for name, changes in (PRIORITY_WAKE_UP | ROUTES | FLOORS).items()}
CHANGES = {name: dict(changes) for name, changes in (PRIORITY_WAKE_UP | ROUTES | FLOORS).items()}
RED_FLAG_RECIPES = [RECIPES[name] for name in PRIORITY_WAKE_UP]
QUIET_RECIPES = [RECIPES[name] for name in ROUTES | FLOORS]
