"""The red-flag rules of priority urgent (triage specification, part 3.3), without the two late ones."""

from .answers import Answers
from .evidence import scores
from .facts import (
    cancer,
    febrile,
    hip_flexion_2_or_less,
    impact,
    injury,
    knee_extension_weak,
    not_gradual,
    one_leg,
    root_sign,
    sudden,
    unexplained,
    weakness,
    weight_bearing_impaired,
)
from .rules_emergency import bleeding_into_psoas, xe8, xe9, xe10
from .truth import Truth, certain, every, no, some


def xu1(a: Answers) -> Truth:
    return bleeding_into_psoas(a)


def xu2(a: Answers) -> Truth:
    fragile = a.present("osteoporosis_or_steroids")
    fall = every(impact(a), some(a.at_least("age_years", 60), fragile))
    insufficiency = every(fragile, not_gradual(a), unexplained(a), a.says("can_bear_weight", "no"))
    limp = every(weight_bearing_impaired(a), not certain(xu4(a)))
    sign = some(a.present("groin_or_deep_hip_pain"), a.present("leg_short_externally_rotated"), limp)
    return some(a.says("prior_xray_hip", "fracture"), every(some(fall, insufficiency), sign))


def xu3(a: Answers) -> Truth:
    return every(a.present("hip_prosthesis"), sudden(a), a.present("groin_or_deep_hip_pain"))


def xu4(a: Answers) -> Truth:
    return every(a.present("cannot_straighten_knee"), some(a.present("suprapatellar_gap"), injury(a)))


def xu5(a: Answers) -> Truth:
    return every(
        a.under("age_years", 16),
        a.present("groin_or_deep_hip_pain", "lateral_hip_pain", "knee_pain"),
        weight_bearing_impaired(a),
    )


def xu6(a: Answers) -> Truth:
    return every(
        a.present("endurance_athlete"),
        a.present("groin_or_deep_hip_pain"),
        weight_bearing_impaired(a),
        unexplained(a),
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
        febrile(a),
        a.present("groin_or_deep_hip_pain", "back_pain"),
        some(a.present("psoas_sign"), not_taken),
    )
