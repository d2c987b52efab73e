"""The imaging each fired red-flag rule asks for (triage specification, column "imaging" of parts 3.1 to 3.3)."""

from .answers import Answers
from .facts import bilateral
from .truth import certain, some

Request = tuple[str, str]

CAUDA_EQUINA = {"SE1", "SE2", "XE1", "XE2", "XE3"}

ALWAYS: dict[str, tuple[Request, ...]] = {
    "SE1": (("mri_lumbar_spine_wo", "4h"),),
    "SE2": (("mri_lumbar_spine_wo", "4h"),),
    "XE1": (("mri_lumbar_spine_wo", "4h"),),
    "XE2": (("mri_lumbar_spine_wo", "4h"),),
    "XE3": (("mri_lumbar_spine_wo", "4h"),),
    "XE7": (("mri_whole_spine_wo", "4h"),),
    "XE8": (("mri_whole_spine_wo", "24h"),),
    "XE9": (("mri_whole_spine_wwo", "4h"),),
    "XE10": (("xr_hip_pelvis", "4h"), ("us_hip", "4h")),
    "XE12": (("cta_aorta", "immediate"),),
    "XE13": (("ct_head_wo", "immediate"),),
    "XE14": (("ct_whole_spine_wo", "immediate"), ("mri_whole_spine_wo", "4h")),
    "XE15": (("mri_whole_spine_wo", "4h"),),
    "XE16": (("mri_whole_spine_wwo", "4h"),),
    "XE18": (("xr_hip_pelvis", "immediate"),),
    "XU1": (("ct_abdomen_pelvis_w", "4h"),),
    "XU1E": (("ct_abdomen_pelvis_w", "4h"),),
    "XU3": (("xr_hip_pelvis", "4h"),),
    "XU4": (("xr_knee", "24h"), ("us_knee", "24h")),
    "XU6": (("xr_hip_pelvis", "24h"), ("mri_hip_wo", "72h")),
    "XU7": (("mri_lumbar_spine_wo", "24h"),),
    "XU8": (("mri_lumbar_spine_wo", "24h"),),
    "XU9": (("xr_hip_pelvis", "24h"), ("xr_femur", "24h")),
    "XU10": (("ct_abdomen_pelvis_w", "24h"),),
    "XU13": (("mri_lumbar_spine_wo", "24h"),),
    "XU14": (("ct_abdomen_pelvis_w", "24h"),),
    "XU15": (("mri_whole_spine_wo", "24h"),),
    "XU16": (("xr_hip_pelvis", "24h"),),
}


def requests(a: Answers, fired: set[str]) -> list[Request]:
    """Every image asked for, once for each rule that asks."""
    wanted = [request for rule in fired for request in ALWAYS.get(rule, ())]
    if fired & {"SE3", "XE4", "XE5"}:
        wanted.append(both_legs(fired))
    if "XE11" in fired:
        wanted.append(cold_limb(a))
    if "XU2" in fired:
        wanted.append(hip_fracture(a))
    if "XU5" in fired and "XE10" not in fired:
        wanted.extend(child_hip(a))
    return wanted


def both_legs(fired: set[str]) -> Request:
    return ("mri_lumbar_spine_wo" if fired & CAUDA_EQUINA else "mri_whole_spine_wo", "4h")


def cold_limb(a: Answers) -> Request:
    aorta = certain(some(bilateral(a), a.present("back_pain")))
    return ("cta_aorta" if aorta else "cta_lower_limb", "immediate")


def hip_fracture(a: Answers) -> Request:
    if a.says("prior_xray_hip", "normal"):
        return ("mri_pelvis_hip_wo", "24h")
    return ("xr_hip_pelvis", "4h")


def child_hip(a: Answers) -> list[Request]:
    if a.says("can_bear_weight", "no"):
        return [("xr_pelvis_ap_crosstable", "4h")]
    return [("xr_pelvis_ap_frog", "24h")]
