"""The red-flag rules of priority urgent (triage specification, part 3.3), without the two late ones."""

from .answers import Answers
from .evidence import scores
from .facts import (
    cancer,
    hip_flexion_2_or_less,
    impact,
    infected,
    injury,
    knee_extension_weak,
    neuro_sign,
    not_gradual,
    one_leg,
    root_sign,
    sacral_deficit_untreated,
    sudden,
    unexplained,
    weakness,
    weight_bearing_impaired,
)
from .rules_emergency import bleeding_into_psoas, xe8, xe9, xe10, xe12, xe18
from .truth import Truth, certain, every, no, possible, some


def xu1(a: Answers) -> Truth:
    return bleeding_into_psoas(a)


def xu2(a: Answers) -> Truth:
    fragile = a.present("osteoporosis_or_steroids")
    fall = every(impact(a), some(a.at_least("age_years", 60), fragile))
    insufficiency = every(fragile, not_gradual(a), unexplained(a), a.says("can_bear_weight", "no"))
    limp = every(weight_bearing_impaired(a), not certain(xu4(a)))
    sign = some(a.present("groin_or_deep_hip_pain"), a.present("leg_short_externally_rotated"), limp)
    no_standing = a.says("can_bear_weight", "no")
    knocked = every(impact(a), a.present("groin_or_deep_hip_pain"), no_standing)
    turned_out = every(not_gradual(a), a.present("leg_short_externally_rotated"))
    return some(
        a.says("prior_xray_hip", "fracture"),
        every(some(fall, insufficiency), sign),
        knocked,
        turned_out,
        unseen_fall(a),
    )


def unseen_fall(a: Answers) -> Truth:
    """An old person who stopped standing and may have fallen: nobody has to have said so."""
    return every(
        a.at_least("age_years", 75),
        a.says("can_bear_weight", "no"),
        a.at_most("duration_days", 14),
        possible(impact(a)),
        possible(a.present("groin_or_deep_hip_pain")),
    )


def xu3(a: Answers) -> Truth:
    return every(a.present("hip_prosthesis"), sudden(a), a.present("groin_or_deep_hip_pain"))


def xu4(a: Answers) -> Truth:
    snapped = every(sudden(a), a.present("knee_pain"))
    return every(a.present("cannot_straighten_knee"), some(a.present("suprapatellar_gap"), injury(a), snapped))


def xu5(a: Answers) -> Truth:
    return every(
        a.under("age_years", 18),
        a.present("groin_or_deep_hip_pain", "lateral_hip_pain", "knee_pain", "anterior_thigh_pain_radiating"),
        some(weight_bearing_impaired(a), a.says("passive_hip_rom", "restricted", "blocked")),
    )


def xu6(a: Answers) -> Truth:
    return every(
        a.present("endurance_athlete"),
        a.present("groin_or_deep_hip_pain"),
        weight_bearing_impaired(a),
        not certain(injury(a)),
    )


def xu7(a: Answers) -> Truth:
    objective = root_sign(a) or (knee_extension_weak(a) and not certain(xu4(a)))
    return every(one_leg(a), a.says("progression", "worsening_days"), some(weakness(a), objective))


def xu8(a: Answers) -> Truth:
    points = scores(a, extensor_rupture=certain(xu4(a)))
    return every(
        hip_flexion_2_or_less(a),
        not_gradual(a),
        a.at_most("duration_days", 14),
        points.nerve_at_least_3,
        points.strain < 3,
    )


def xu9(a: Answers) -> Truth:
    sore_hip = a.present("groin_or_deep_hip_pain", "lateral_hip_pain")
    metastasis = every(cancer(a), sore_hip, not certain(xe8(a)))
    avulsion = every(a.says("prior_xray_hip", "lesser_trochanter_avulsion"), no(a.under("age_years", 18)))
    return some(metastasis, avulsion)


def xu10(a: Answers) -> Truth:
    not_taken = not certain(xe9(a)) and not certain(xe10(a))
    return every(
        infected(a),
        a.present("groin_or_deep_hip_pain", "back_pain"),
        some(a.present("psoas_sign"), not_taken),
    )


def xu13(a: Answers) -> Truth:
    return sacral_deficit_untreated(a)


def xu14(a: Answers) -> Truth:
    return every(
        a.says("mechanism", "after_procedure"),
        not_gradual(a),
        a.at_most("duration_days", 42),
        some(weakness(a), neuro_sign(a)),
    )


def xu15(a: Answers) -> Truth:
    return every(
        a.present("back_pain"),
        a.present("unexplained_weight_loss"),
        a.at_least("age_years", 50),
        some(weakness(a), neuro_sign(a)),
        not certain(xe8(a)),
    )


def xu16(a: Answers) -> Truth:
    """It gives way to every more precise rule that has fired."""
    more_precise = (xe10, xe12, xe18, xu1, xu2, xu3, xu5)
    return every(
        a.present("groin_or_deep_hip_pain"),
        a.says("can_bear_weight", "no"),
        not_gradual(a),
        a.at_most("duration_days", 14),
        not any(certain(rule(a)) for rule in more_precise),
    )
