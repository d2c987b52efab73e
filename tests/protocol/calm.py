"""The calm form: every question answered and every danger denied, so that one change shows what it does."""

from .bodies import Answers
from .reading.vocabulary import FIELDS

SAYS_NO = ("normal", "negative", "none", "absent")
QUIET_NUMBERS = {
    "duration_days": 200,
    "pain_score": 4,
    "egfr": 90,
    "gestation_weeks": 0,
    "postpartum_days": 400,
    "temperature_c": 36.8,
    "heart_rate": 70,
    "systolic_bp": 130,
    "crp_mg_l": 3,
    "wbc_10e9_l": 7,
    "haemoglobin_g_l": 140,
    "post_void_residual_ml": 0,
}
SETTLED = {
    "age_years": 40,
    "sex_at_birth": "male",
    "pregnancy_status": "not_applicable",
    "cannot_lift_leg_supine": "present",
    "side": "left",
    "onset": "gradual",
    "mechanism": "none",
    "progression": "stable",
    "limiting_factor": "weakness",
    "can_bear_weight": "yes",
    "mri_safety": "safe",
    "passive_hip_rom": "full",
    "distal_pulses": "present",
    "prior_xray_hip": "not_done",
}


def examined() -> Answers:
    """Everything asked and everything tested: clinical review, routine."""
    answers: Answers = {"age_years": SETTLED["age_years"]}
    for field in FIELDS:
        usual = 5 if field.name.startswith("mrc_") else QUIET_NUMBERS.get(field.name)
        denial = next((answer for answer in SAYS_NO if answer in field.answers), usual)
        answers[field.name] = SETTLED.get(field.name, denial)
    return answers


def calm() -> Answers:
    """The same, not examined."""
    findings = {field.name for field in FIELDS if field.is_finding}
    return {name: value for name, value in examined().items() if name not in findings}
