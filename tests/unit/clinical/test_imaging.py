"""The order of work on the imaging list, step by step, and how the list is sorted."""

import pytest

from shared.protocols import active
from tests.unit.clinical.calm import decide, studies

CES = {"bladder_change": "new_or_worse"}  # mri_lumbar_spine_wo@4h
CORD = {"sensory_level": "present", "onset": "subacute", "duration_days": 42}  # mri_whole_spine_wo@4h
ABSCESS = {"back_pain": "present", "fever": "present"}  # mri_whole_spine_wwo@4h
CANCER = {"cancer": "past", "back_pain": "present"}  # mri_whole_spine_wo@24h
BLEED = {"anticoagulant": "present", "back_pain": "present", "onset": "sudden", "duration_days": 3}
AORTA = {"sudden_abdominal_or_tearing_pain": "present"}  # cta_aorta@immediate
TRAUMA = {"mechanism": "high_energy_trauma", "back_pain": "present"}
RUNNER = {
    "endurance_athlete": "present",
    "groin_or_deep_hip_pain": "present",
    "can_bear_weight": "no",
    "mechanism": "none",
}
FRACTURE = {"prior_xray_hip": "normal", "mechanism": "fall_low_energy", "age": 70, "groin_or_deep_hip_pain": "present"}
SEPTIC = {"groin_or_deep_hip_pain": "present", "fever": "present", "can_bear_weight": "no"}
BLOCK = {"limiting_factor": "block"}
LABRUM = {"pinching_or_catching": "present", "known_hip_osteoarthritis": "present"}
STRAIN = {"mechanism": "kick_or_forced_flexion", "sharp_groin_pain_at_onset": "present"}
MIXED = {**LABRUM, "anterior_thigh_pain_radiating": "present", "anterior_thigh_numbness_tingling": "present"}
JOINT = {"lateral_hip_pain": "present"}  # xr_hip_pelvis
WOMAN = {"sex_at_birth": "female", "age": 30}
PREGNANT = {**WOMAN, "pregnancy_status": "pregnant"}
UNSAFE = {"mri_safety": "unsafe"}

# name, answers, studies, cautions
LISTS = [
    ("M1 the same study twice", {**CES, "bilateral_sciatica": "new_or_worse"}, ["mri_lumbar_spine_wo@4h"], []),
    ("M2 lumbar gives way to whole spine", {**CES, **CORD}, ["mri_whole_spine_wo@4h"], []),
    ("M2 with the earlier time", {**CES, **CANCER}, ["mri_whole_spine_wo@4h"], []),
    ("M3 with contrast wins", {**CANCER, "fever": "present"}, ["mri_whole_spine_wwo@4h"], []),
    ("M2 and M3 together", {**CES, **ABSCESS, **CORD}, ["mri_whole_spine_wwo@4h"], []),
    (
        "M4 the child's view covers the hip",
        {"age": 10, "knee_pain": "present", "can_bear_weight": "no", "prior_xray_hip": "fracture"},
        ["xr_pelvis_ap_crosstable@4h"],
        ["child_dose_and_sedation"],
    ),
    (
        "M4 with the earlier time",
        {"age": 10, "knee_pain": "present", "can_bear_weight": "with_difficulty", "prior_xray_hip": "fracture"},
        ["xr_pelvis_ap_frog@4h"],
        ["child_dose_and_sedation"],
    ),
    (
        "XE10 keeps the child's views away",
        {"age": 10, **SEPTIC},
        ["us_hip@4h", "xr_hip_pelvis@4h"],
        ["child_dose_and_sedation"],
    ),
    (
        "M5 hip gives way to pelvis and hip",
        {**FRACTURE, **RUNNER, "mechanism": "none", "osteoporosis_or_steroids": "present", "onset": "subacute"},
        ["mri_pelvis_hip_wo@24h", "xr_hip_pelvis@24h"],
        [],
    ),
    ("2 pregnant, nothing listed", PREGNANT, [], ["pregnancy"]),
    ("2 pregnant, no gadolinium", {**PREGNANT, **ABSCESS}, ["mri_whole_spine_wo@4h"], ["pregnancy"]),
    ("2 pregnant, MRI instead of X-ray", {**PREGNANT, **JOINT}, ["mri_hip_wo@2w"], ["pregnancy"]),
    (
        "2 pregnant, the MRI takes the earlier time",
        {**PREGNANT, **STRAIN, "onset": "sudden", "duration_days": 3},
        ["mri_hip_wo@72h"],
        ["pregnancy"],
    ),
    (
        "2 pregnant and serious, the X-ray stays",
        {**PREGNANT, **SEPTIC},
        ["us_hip@4h", "xr_hip_pelvis@4h"],
        ["pregnancy"],
    ),
    ("3 kidneys, gadolinium", {**ABSCESS, "egfr": 29}, ["mri_whole_spine_wo@4h"], ["egfr_below_30"]),
    ("3 kidneys, iodine stays", {**BLEED, "egfr": 29.9}, ["ct_abdomen_pelvis_w@4h"], ["egfr_below_30"]),
    ("3 kidneys at 30", {**ABSCESS, "egfr": 30}, ["mri_whole_spine_wwo@4h"], []),
    ("3 kidneys, no contrast", {**CES, "egfr": 10}, ["mri_lumbar_spine_wo@4h"], []),
    (
        "3 severe reaction to gadolinium",
        {**ABSCESS, "gadolinium_reaction": "severe"},
        ["mri_whole_spine_wo@4h"],
        ["gadolinium_reaction"],
    ),
    (
        "3 mild reaction to gadolinium",
        {**ABSCESS, "gadolinium_reaction": "mild"},
        ["mri_whole_spine_wwo@4h"],
        ["contrast_history_check"],
    ),
    (
        "3 reaction not known",
        {**ABSCESS, "gadolinium_reaction": None},
        ["mri_whole_spine_wwo@4h"],
        ["contrast_history_check"],
    ),
    ("3 reaction not known, no contrast", {**CES, "gadolinium_reaction": None}, ["mri_lumbar_spine_wo@4h"], []),
    (
        "4 lumbar",
        {**CES, **UNSAFE},
        ["ct_lumbar_spine_wo@4h", "ct_lumbar_myelogram@specialist"],
        ["mri_contraindicated"],
    ),
    ("4 whole spine", {**CORD, **UNSAFE}, ["ct_whole_spine_wo@4h"], ["mri_contraindicated"]),
    ("4 whole spine with contrast", {**ABSCESS, **UNSAFE}, ["ct_whole_spine_w@4h"], ["mri_contraindicated"]),
    ("4 merged again", {**TRAUMA, **UNSAFE}, ["ct_whole_spine_wo@immediate"], ["mri_contraindicated"]),
    (
        "4 merged again with contrast",
        {**TRAUMA, "fever": "present", **UNSAFE},
        ["ct_whole_spine_w@immediate"],
        ["mri_contraindicated"],
    ),
    ("4 fracture", {**FRACTURE, **UNSAFE}, ["ct_hip_pelvis_wo@24h"], ["mri_contraindicated"]),
    (
        "4 stress fracture",
        {**RUNNER, **UNSAFE},
        ["xr_hip_pelvis@24h", "ct_hip_pelvis_wo@72h"],
        ["mri_contraindicated"],
    ),
    (
        "4 mechanical block",
        {**BLOCK, **UNSAFE},
        ["ct_hip_pelvis_wo@routine", "xr_hip_pelvis@routine"],
        ["mri_contraindicated"],
    ),
    ("4 other hip", {**LABRUM, **UNSAFE}, ["us_hip@routine", "xr_hip_pelvis@routine"], ["mri_contraindicated"]),
    (
        "4 not known, with an implant",
        {**CORD, "mri_safety": "unknown", "implant": "cochlear"},
        ["ct_whole_spine_wo@4h"],
        ["mri_contraindicated"],
    ),
    (
        "4 not known, without an implant",
        {**CORD, "mri_safety": None},
        ["mri_whole_spine_wo@4h"],
        ["mri_safety_unknown"],
    ),
    (
        "4 not known, implant not known",
        {**CORD, "mri_safety": None, "implant": "unknown"},
        ["mri_whole_spine_wo@4h"],
        ["mri_safety_unknown"],
    ),
    ("4 conditional", {**CORD, "mri_safety": "mr_conditional"}, ["mri_whole_spine_wo@4h"], ["mri_device_check"]),
    ("4 safe with an implant", {**CORD, "implant": "other"}, ["mri_whole_spine_wo@4h"], ["mri_device_check"]),
    ("4 safe, implant not known", {**CORD, "implant": None}, ["mri_whole_spine_wo@4h"], []),
    ("4 narrow spaces", {**CORD, "claustrophobia": "present"}, ["mri_whole_spine_wo@4h"], ["claustrophobia"]),
    (
        "4 narrow spaces, no MRI",
        {**CORD, **UNSAFE, "claustrophobia": "present"},
        ["ct_whole_spine_wo@4h"],
        ["mri_contraindicated"],
    ),
    (
        "4 metal in the hip",
        {**LABRUM, "hip_prosthesis": "present"},
        ["mri_hip_wo@routine", "xr_hip_pelvis@routine"],
        ["hip_prosthesis_metal_artefact"],
    ),
    ("4 metal, but the spine", {**CORD, "hip_prosthesis": "present"}, ["mri_whole_spine_wo@4h"], []),
    ("4 unsafe, no MRI listed", {**JOINT, **UNSAFE}, ["xr_hip_pelvis@routine"], []),
    (
        "5 severe reaction to iodine",
        {**BLEED, "iodinated_reaction": "severe"},
        ["ct_abdomen_pelvis_wo@4h"],
        ["iodinated_reaction"],
    ),
    (
        "5 CT angiography stays",
        {**AORTA, "iodinated_reaction": "severe"},
        ["cta_aorta@immediate"],
        ["iodinated_reaction"],
    ),
    (
        "5 after step 4",
        {**ABSCESS, **UNSAFE, "iodinated_reaction": "severe"},
        ["ct_whole_spine_wo@4h"],
        ["iodinated_reaction", "mri_contraindicated"],
    ),
    (
        "5 reaction not known",
        {**AORTA, "iodinated_reaction": "unknown"},
        ["cta_aorta@immediate"],
        ["contrast_history_check"],
    ),
    (
        "5 the myelogram is an iodinated study",
        {**CES, **UNSAFE, "iodinated_reaction": "severe"},
        ["ct_lumbar_spine_wo@4h", "ct_lumbar_myelogram@specialist"],
        ["iodinated_reaction", "mri_contraindicated"],
    ),
    ("6 pregnant, no CT", {**PREGNANT, **UNSAFE, "sensory_level": "present"}, [], ["mri_contraindicated", "pregnancy"]),
    (
        "6 pregnant and serious, the CT stays",
        {**PREGNANT, **CORD, **UNSAFE},
        ["ct_whole_spine_wo@4h"],
        ["mri_contraindicated", "pregnancy"],
    ),
    (
        "7 pregnancy possible",
        {**WOMAN, "pregnancy_status": "possible", **JOINT},
        ["xr_hip_pelvis@routine"],
        ["pregnancy_test_first"],
    ),
    (
        "7 pregnancy not known",
        {**WOMAN, "age": 55, "pregnancy_status": None, **JOINT},
        ["xr_hip_pelvis@routine"],
        ["pregnancy_test_first"],
    ),
    ("7 too old", {**WOMAN, "age": 56, "pregnancy_status": None, **JOINT}, ["xr_hip_pelvis@routine"], []),
    ("7 a man", {"sex_at_birth": "male", "pregnancy_status": None, "age": 30, **JOINT}, ["xr_hip_pelvis@routine"], []),
    (
        "7 possible is believed of anybody",
        {"sex_at_birth": "male", "pregnancy_status": "possible", **JOINT},
        ["xr_hip_pelvis@routine"],
        ["pregnancy_test_first"],
    ),
    (
        "7 sex and age not known",
        {"sex_at_birth": None, "pregnancy_status": "unknown", "age": None, **JOINT},
        ["xr_hip_pelvis@2w"],
        ["pregnancy_test_first"],
    ),
    ("7 nothing ionising", {**WOMAN, "pregnancy_status": None, **CES}, ["mri_lumbar_spine_wo@4h"], []),
    ("8 a child", {**CES, "age": 15}, ["mri_lumbar_spine_wo@4h"], ["child_dose_and_sedation"]),
    ("8 a child, nothing listed", {"age": 15}, [], []),
    (
        "sorted by time, CT angiography first",
        {**AORTA, "fast_face": "present", **CES},
        ["cta_aorta@immediate", "ct_head_wo@immediate", "mri_lumbar_spine_wo@4h"],
        [],
    ),
]


@pytest.mark.parametrize(("name", "answers", "listed", "cautions"), LISTS, ids=[row[0] for row in LISTS])
def test_the_list(name, answers, listed, cautions):
    decision = decide(**answers)
    assert studies(decision) == listed, name
    assert list(decision.cautions) == cautions, name


def test_a_list_that_was_emptied_is_held_for_review():
    decision = decide(**PREGNANT, **UNSAFE, sensory_level="present")
    assert (decision.imaging, decision.imaging_status) == ((), "hold_for_review")


def test_an_empty_list_of_red_flags_is_not_indicated_unless_something_is_open():
    assert decide(swallowing_difficulty="present").imaging_status == "not_indicated"
    assert decide(swallowing_difficulty="present", free_text="wet myself").imaging_status == "hold_for_review"


def test_each_study_says_who_asked_for_it():
    asked = {advice.study: advice.because for advice in decide(**CES, **CANCER).imaging}
    assert asked == {"mri_whole_spine_wo": ("XE1", "XE8")}
    asked = {advice.study: advice.because for advice in decide(**CES, **UNSAFE).imaging}
    assert asked == {"ct_lumbar_spine_wo": ("XE1",), "ct_lumbar_myelogram": ("XE1",)}


@pytest.mark.parametrize("caution", active().imaging.cautions)
def test_every_caution_is_given_somewhere(caution):
    assert caution in {each for row in LISTS for each in row[3]}


def test_imaging_safety_changes_imaging_and_cautions_only():
    calm, changed = decide(**CES).record(), decide(**CES, **UNSAFE, egfr=5, implant="icd").record()
    for name in ("imaging", "cautions"):
        del calm[name], changed[name]
    assert calm == changed


@pytest.mark.parametrize(
    ("answers", "replaced"),
    [
        (CES, {"mri_lumbar_spine_wo": None}),
        ({**PREGNANT, **STRAIN, "onset": "sudden", "duration_days": 3}, {"mri_hip_wo": "xr_hip_pelvis"}),
        (
            {**CES, **UNSAFE},
            {"ct_lumbar_spine_wo": "mri_lumbar_spine_wo", "ct_lumbar_myelogram": "mri_lumbar_spine_wo"},
        ),
        ({**PREGNANT, **STRAIN, **UNSAFE}, {"us_hip": "xr_hip_pelvis"}),  # the X-ray stood first
        ({**ABSCESS, "gadolinium_reaction": "severe"}, {"mri_whole_spine_wo": "mri_whole_spine_wwo"}),
        ({**ABSCESS, **CES}, {"mri_whole_spine_wwo": None}),  # a wider study is no replacement
        ({**CES, **CORD, **UNSAFE}, {"ct_whole_spine_wo": "mri_whole_spine_wo"}),
        ({**TRAUMA, **UNSAFE}, {"ct_whole_spine_wo": "mri_whole_spine_wo"}),  # listed already, it stands for both
        ({**BLEED, "iodinated_reaction": "severe"}, {"ct_abdomen_pelvis_wo": "ct_abdomen_pelvis_w"}),
    ],
)
def test_a_study_names_the_one_that_it_stands_for(answers, replaced):
    assert {each.study: each.instead_of for each in decide(**answers).imaging} == replaced
