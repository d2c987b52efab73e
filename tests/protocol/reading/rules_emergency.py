"""The red-flag rules of priority emergency (triage specification, parts 3.1 and 3.2, and XU1E)."""

from .answers import Answers
from .facts import (
    bilateral,
    cancer,
    cord_sign,
    fast,
    febrile,
    infected,
    neuro_sign,
    not_gradual,
    one_leg,
    painless,
    saddle_baseline,
    shock,
    sphincter_new,
    sudden,
    unexplained,
    unstable,
    weakness,
    worsening_recent,
)
from .truth import Truth, every, no, some


def se1(a: Answers) -> Truth:
    return every(sudden(a), sphincter_new(a))


def se2(a: Answers) -> Truth:
    lost_on_testing = a.says("saddle_sensation", "reduced", "absent")
    return some(a.says("saddle_numbness", "new_or_worse"), every(lost_on_testing, not saddle_baseline(a)))


def se3(a: Answers) -> Truth:
    return every(bilateral(a), worsening_recent(a))


def xe1(a: Answers) -> Truth:
    return sphincter_new(a)


def xe2(a: Answers) -> Truth:
    return some(
        a.present("sexual_dysfunction_new"),
        a.says("anal_tone", "reduced"),
        a.at_least("post_void_residual_ml", 200),
    )


def xe3(a: Answers) -> Truth:
    return a.says("bilateral_sciatica", "new_or_worse")


def xe4(a: Answers) -> Truth:
    return every(bilateral(a), sudden(a), a.at_most("duration_days", 14))


def xe5(a: Answers) -> Truth:
    after_infection = every(a.present("recent_infection_6w"), worsening_recent(a))
    return every(bilateral(a), not_gradual(a), some(a.present("areflexia_legs"), after_infection))


def xe6(a: Answers) -> Truth:
    boxes = ("breathlessness_rest_or_lying", "swallowing_difficulty")
    new = some(*(a.says(box, "new_or_worse") for box in boxes))
    old = some(*(a.says(box, "longstanding_unchanged") for box in boxes))
    return some(new, every(old, weakness(a), no(a.says("progression", "stable", "improving"))))


def xe7(a: Answers) -> Truth:
    recent = every(not_gradual(a), a.at_most("duration_days", 42))
    return every(cord_sign(a), some(recent, worsening_recent(a), sphincter_new(a), cancer(a)))


def xe8(a: Answers) -> Truth:
    return every(
        cancer(a),
        some(
            a.present("back_pain"),
            neuro_sign(a),
            a.present("upper_motor_neuron_signs"),
            bilateral(a),
            every(not_gradual(a), weakness(a)),
        ),
    )


def xe9(a: Answers) -> Truth:
    source = some(febrile(a), a.present("iv_drug_use", "recent_spinal_procedure"))
    return every(a.present("back_pain"), source)


def xe10(a: Answers) -> Truth:
    stiff_and_sore = every(a.says("passive_hip_rom", "restricted", "blocked"), a.present("passive_hip_rom_painful"))
    return every(
        a.present("groin_or_deep_hip_pain"),
        infected(a),
        some(
            a.says("can_bear_weight", "no"),
            a.present("systemically_unwell"),
            a.present("hip_prosthesis"),
            stiff_and_sore,
        ),
    )


def xe11(a: Answers) -> Truth:
    return some(a.present("cold_pale_limb"), every(not_gradual(a), a.says("distal_pulses", "absent")))


def xe12(a: Answers) -> Truth:
    return some(
        a.present("sudden_abdominal_or_tearing_pain"),
        every(not_gradual(a), a.present("known_aaa")),
        every(a.present("syncope"), sudden(a), a.at_least("age_years", 50)),
        every(shock(a), not_gradual(a), a.at_least("age_years", 50), a.present("back_pain", "groin_or_deep_hip_pain")),
    )


def xe13(a: Answers) -> Truth:
    within_a_day = every(a.at_least("age_years", 16), a.at_most("duration_days", 1))
    at_risk = some(a.present("atrial_fibrillation_or_vascular_risk"), a.at_least("age_years", 60), within_a_day)
    silent = every(sudden(a), painless(a), unexplained(a), one_leg(a), a.at_most("duration_days", 7), at_risk)
    return some(fast(a), silent)


def xe14(a: Answers) -> Truth:
    return every(a.says("mechanism", "high_energy_trauma"), some(a.present("back_pain"), weakness(a), bilateral(a)))


def xe15(a: Answers) -> Truth:
    return every(a.present("recent_spinal_procedure"), a.at_most("duration_days", 14), weakness(a))


def xe16(a: Answers) -> Truth:
    return every(a.under("age_years", 16), not_gradual(a), weakness(a), unexplained(a))


def xe17(a: Answers) -> Truth:
    return unstable(a)


def xe18(a: Answers) -> Truth:
    no_standing = every(a.present("groin_or_deep_hip_pain"), a.says("can_bear_weight", "no"))
    return every(
        a.says("mechanism", "high_energy_trauma"), some(a.present("leg_short_externally_rotated"), no_standing)
    )


def bleeding_into_psoas(a: Answers) -> Truth:
    """The condition of XU1, which XU1E shares."""
    return every(
        some(a.present("anticoagulant", "bleeding_disorder"), a.says("mechanism", "after_procedure")),
        a.present("groin_or_deep_hip_pain", "back_pain", "anterior_thigh_pain_radiating"),
        not_gradual(a),
        a.at_most("duration_days", 42),
    )


def xu1e(a: Answers) -> Truth:
    return every(bleeding_into_psoas(a), some(shock(a), a.under("haemoglobin_g_l", 90)))
