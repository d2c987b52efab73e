"""The named facts (triage specification, part 3.4), each a question put to the cleaned answers."""

from .answers import Answers
from .truth import Truth, certain, every, no, some


def sudden(a: Answers) -> Truth:
    return a.says("onset", "sudden")


def gradual(a: Answers) -> Truth:
    return a.says("onset", "gradual")


def not_gradual(a: Answers) -> Truth:
    return a.says("onset", "sudden", "subacute")


def worsening_recent(a: Answers) -> Truth:
    return a.says("progression", "worsening_days", "worsening_weeks")


def injury(a: Answers) -> Truth:
    return a.says(
        "mechanism",
        "kick_or_forced_flexion",
        "fall_low_energy",
        "high_energy_trauma",
        "direct_blow",
        "lifting",
    )


def impact(a: Answers) -> Truth:
    return a.says("mechanism", "fall_low_energy", "high_energy_trauma", "direct_blow")


def unexplained(a: Answers) -> bool:
    return a.unanswered("mechanism") or certain(a.says("mechanism", "none"))


def bilateral(a: Answers) -> Truth:
    return some(a.says("side", "both"), a.present("bilateral_leg_weakness"))


def one_leg(a: Answers) -> bool:
    return not certain(bilateral(a))


def weakness(a: Answers) -> Truth:
    return a.says("limiting_factor", "weakness")


def febrile(a: Answers) -> Truth:
    return some(a.present("fever"), a.at_least("temperature_c", 38.0))


def infected(a: Answers) -> Truth:
    blood = some(a.at_least("crp_mg_l", 50), a.at_least("wbc_10e9_l", 15))
    return some(febrile(a), a.present("systemically_unwell"), blood)


def weight_bearing_impaired(a: Answers) -> Truth:
    return a.says("can_bear_weight", "no", "with_difficulty")


def cancer(a: Answers) -> Truth:
    return a.says("cancer", "past", "current")


def sphincter_new(a: Answers) -> Truth:
    return some(a.says("bladder_change", "new_or_worse"), a.says("bowel_change", "new_or_worse"))


def cord_sign(a: Answers) -> Truth:
    return a.present("upper_motor_neuron_signs", "sensory_level")


def reflex_loss(a: Answers) -> bool:
    return a.seen_on_affected_side("knee_reflex", "reduced", "absent")


def stretch_positive(a: Answers) -> bool:
    return a.seen_on_affected_side("femoral_stretch", "positive")


def passive_slr_positive(a: Answers) -> bool:
    return a.seen_on_affected_side("passive_slr", "positive")


def knee_extension_weak(a: Answers) -> bool:
    return a.weak_on_affected_side("mrc_knee_extension", 4)


def hip_flexion_2_or_less(a: Answers) -> bool:
    return a.weak_on_affected_side("mrc_hip_flexion", 2)


def root_sign(a: Answers) -> bool:
    return reflex_loss(a) or stretch_positive(a)


def neuro_sign(a: Answers) -> bool:
    return root_sign(a) or knee_extension_weak(a)


def fast(a: Answers) -> Truth:
    return a.present("fast_face", "fast_arm", "fast_speech")


def painless(a: Answers) -> Truth:
    """Back pain does not count; the pain score does."""
    pain = a.present("groin_or_deep_hip_pain", "anterior_thigh_pain_radiating", "lateral_hip_pain", "knee_pain")
    return every(no(pain), a.at_most("pain_score", 4), weakness(a))


def shock(a: Answers) -> Truth:
    return some(a.over("heart_rate", 110), a.under("systolic_bp", 100), a.present("syncope"))


def unstable(a: Answers) -> Truth:
    worst_grade = some(a.at_most("systolic_bp", 90), a.at_least("heart_rate", 131))
    return every(worst_grade, not certain(a.under("age_years", 16)))


def alarm_answer(a: Answers) -> Truth:
    return some(
        febrile(a),
        a.present("systemically_unwell"),
        shock(a),
        a.says("can_bear_weight", "no"),
        a.says("progression", "worsening_days"),
        a.present("areflexia_legs", "suprapatellar_gap", "leg_short_externally_rotated", "psoas_sign"),
        a.says("distal_pulses", "absent"),
    )


def saddle_baseline(a: Answers) -> bool:
    return certain(every(a.present("prior_treated_ces"), a.says("saddle_numbness", "longstanding_unchanged")))


def sacral_deficit_untreated(a: Answers) -> Truth:
    sphincter = some(*(a.says(box, "longstanding_unchanged") for box in ("bladder_change", "bowel_change")))
    deficit = some(a.says("saddle_numbness", "longstanding_unchanged"), every(sphincter, neuro_sign(a)))
    return every(deficit, no(a.present("prior_treated_ces")))


def new_problem(a: Answers) -> Truth:
    return some(not_gradual(a), a.at_most("duration_days", 14), worsening_recent(a))


def acute_context(a: Answers) -> Truth:
    old_and_settled = every(gradual(a), a.over("duration_days", 42), a.says("progression", "stable", "improving"))
    backache = every(a.present("back_pain"), not certain(old_and_settled))
    return some(new_problem(a), a.says("bilateral_sciatica", "new_or_worse"), backache)


def longstanding_deficit(a: Answers) -> Truth:
    boxes = ("bladder_change", "bowel_change", "saddle_numbness")
    return some(*(a.says(box, "longstanding_unchanged") for box in boxes))


def time_contradiction(a: Answers) -> Truth:
    under_four_weeks = a.under("duration_days", 28)
    for_months = a.says("progression", "worsening_months")
    return some(every(sudden(a), for_months), every(gradual(a), under_four_weeks), every(for_months, under_four_weeks))


def side_contradiction(a: Answers) -> bool:
    """The named leg is graded normal and the other one weak."""
    named, other = "mrc_hip_flexion_left", "mrc_hip_flexion_right"
    if certain(a.says("side", "right")):
        named, other = other, named
    one_side = certain(a.says("side", "left", "right"))
    return one_side and certain(a.at_least(named, 5)) and certain(a.at_most(other, 4))
