"""Which flag and priority each red-flag rule carries (triage specification, parts 3.1 to 3.3)."""

from collections.abc import Callable

from . import rules_emergency as emergency
from . import rules_urgent as urgent
from .answers import Answers
from .truth import Truth

Condition = Callable[[Answers], Truth]

EMERGENCIES: dict[str, tuple[str, Condition]] = {
    "SE1": ("RF_BLADDER_BOWEL", emergency.se1),
    "SE2": ("RF_SADDLE", emergency.se2),
    "SE3": ("RF_BILATERAL_PROGRESSIVE", emergency.se3),
    "XE1": ("RF_BLADDER_BOWEL", emergency.xe1),
    "XE2": ("RF_CES_OTHER", emergency.xe2),
    "XE3": ("RF_BILATERAL_RADICULAR", emergency.xe3),
    "XE4": ("RF_BILATERAL_SUDDEN", emergency.xe4),
    "XE5": ("RF_NEUROMUSCULAR", emergency.xe5),
    "XE6": ("RF_RESP_BULBAR", emergency.xe6),
    "XE7": ("RF_CORD", emergency.xe7),
    "XE8": ("RF_MSCC", emergency.xe8),
    "XE9": ("RF_SPINAL_INFECTION", emergency.xe9),
    "XE10": ("RF_SEPTIC_HIP", emergency.xe10),
    "XE11": ("RF_LIMB_ISCHAEMIA", emergency.xe11),
    "XE12": ("RF_AORTIC", emergency.xe12),
    "XE13": ("RF_STROKE", emergency.xe13),
    "XE14": ("RF_SPINAL_TRAUMA", emergency.xe14),
    "XE15": ("RF_POST_NEURAXIAL", emergency.xe15),
    "XE16": ("RF_PAED_WEAKNESS", emergency.xe16),
    "XE17": ("RF_UNSTABLE", emergency.xe17),
    "XE18": ("RF_HIP_INJURY", emergency.xe18),
    "XU1E": ("RF_BLEED_PSOAS", emergency.xu1e),
}

URGENCIES: dict[str, tuple[str, Condition]] = {
    "XU1": ("RF_BLEED_PSOAS", urgent.xu1),
    "XU2": ("RF_HIP_FRACTURE", urgent.xu2),
    "XU3": ("RF_PERIPROSTHETIC", urgent.xu3),
    "XU4": ("RF_EXTENSOR_RUPTURE", urgent.xu4),
    "XU5": ("RF_PAED_HIP", urgent.xu5),
    "XU6": ("RF_STRESS_FRACTURE", urgent.xu6),
    "XU7": ("RF_RAPID_UNILATERAL", urgent.xu7),
    "XU8": ("RF_SEVERE_NEW_MOTOR", urgent.xu8),
    "XU9": ("RF_CANCER_BONE", urgent.xu9),
    "XU10": ("RF_DEEP_INFECTION", urgent.xu10),
    "XU13": ("RF_SACRAL_DEFICIT", urgent.xu13),
    "XU14": ("RF_POST_PROCEDURE", urgent.xu14),
    "XU15": ("RF_SPINAL_MALIGNANCY", urgent.xu15),
    "XU16": ("RF_ACUTE_HIP", urgent.xu16),
}

LATE = {"XU11": "RF_UNANSWERED", "XU12": "RF_CONFLICT"}
RULES = EMERGENCIES | URGENCIES
FLAG_OF = {rule: flag for rule, (flag, _) in RULES.items()} | LATE
