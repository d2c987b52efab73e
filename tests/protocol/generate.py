"""Seeded raw forms: sparse, full, wrong, and close to every rule and threshold of the specification."""

import calendar
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from .bodies import ABSENT, TODAY, Answers, Body, body_of, mirrored
from .calm import calm, examined
from .near import BY_NAME, DEFINITE, EDGES, VAGUE, WRONG, edges
from .prose import passage
from .reading.vocabulary import FIELDS, SECTIONS
from .recipes import CHANGES, QUIET_RECIPES, RECIPES, RED_FLAG_RECIPES

Dice = random.Random

PRESENT_EVIDENCE = """
    anterior_thigh_pain_radiating anterior_thigh_numbness_tingling back_pain
    sharp_groin_pain_at_onset pain_worse_on_hip_flexion resisted_hip_flexion_painful
    iliopsoas_tenderness_or_defect prolonged_disuse muscle_wasting
    groin_or_deep_hip_pain lateral_hip_pain pinching_or_catching known_hip_osteoarthritis
"""
DAYS = (TODAY, TODAY, TODAY, date(2024, 2, 29), date(2025, 2, 28), date(2025, 3, 1), date(2027, 1, 1))
NAMES = [*DEFINITE, "age_years", "free_text"]
SAFETY_NAMES = [
    *(field.name for field in FIELDS if field.section == "imaging_safety"),
    *("sex_at_birth", "pregnancy_status", "age_years", "hip_prosthesis"),
]
THRESHOLDS = [*EDGES, "mrc_hip_flexion_left", "mrc_knee_extension_left"]
EVIDENCE = [
    *(("limiting_factor", answer) for answer in ("pain", "block", "unsure")),
    *(("mechanism", "kick_or_forced_flexion"), ("known_lumbar_pathology", "disc")),
    *(("knee_reflex_left", "reduced"), ("femoral_stretch_left", "positive"), ("passive_slr_left", "positive")),
    *(("mrc_knee_extension_left", 4), ("hoover_sign", "positive"), ("passive_hip_rom", "restricted")),
    *((sign, "positive") for sign in ("fadir", "faber", "log_roll")),
    *((answer, "present") for answer in PRESENT_EVIDENCE.split()),
]
BAD_BIRTH_DATES = (
    *(None, "", "unknown", "2020-02-30", "1850-01-01", "2090-01-01", "80-01-01", "0000-00-00"),
    *("1980-1-1", "1980-01-01T00:00:00", " 1980-01-01", "19800101", 19800101, True, []),
)
BAD_SECTIONS: tuple[Any, ...] = (None, [], "present", 7, True, ["present"])


def forms(count: int, seed: int) -> Iterator[tuple[Body, date]]:
    """That many raw forms with the day each is read on; the same seed gives the same forms."""
    dice = random.Random(seed)  # noqa: S311  (variety is wanted here, not secrecy)
    for _ in range(count):
        today = dice.choice(DAYS)
        answers = dice.choices(MAKERS, WEIGHTS)[0](dice)
        if "age_years" in answers:
            answers["birth_date"] = birth_date(dice, answers.pop("age_years"), today)
        body = body_of(mirrored(answers) if dice.random() < 0.3 else answers)
        if dice.random() < 0.08:
            disturb(dice, body)
        yield body, today


def near_a_rule(dice: Dice) -> Answers:
    recipes = QUIET_RECIPES if dice.random() < 0.55 else RED_FLAG_RECIPES
    return mutated(dice, dict(dice.choice(recipes)), dice.choice((0, 1, 1, 2, 3, 4)))


def at_a_threshold(dice: Dice) -> Answers:
    """A rule or route as it is, and one number moved to an edge: mostly one that the rule looks at."""
    name, changes = dice.choice(list(CHANGES.items()))
    looked_at = [field for field in THRESHOLDS if field in changes]
    field = dice.choice(looked_at if looked_at and dice.random() < 0.8 else THRESHOLDS)
    return RECIPES[name] | {field: dice.choice(edges_of(field))}


def weighing(dice: Dice) -> Answers:
    """Evidence for nerve, muscle and joint in every proportion, and little else."""
    answers = calm()
    likely = dice.choice((0.15, 0.3, 0.5))
    for name, value in EVIDENCE:
        if dice.random() < likely:
            answers[name] = value
    return mutated(dice, answers, dice.choice((0, 0, 1)))


def near_two_rules(dice: Dice) -> Answers:
    """The answers in which each differs from calm, together: several flags, merged imaging, mixed evidence."""
    recipes = QUIET_RECIPES if dice.random() < 0.3 else RED_FLAG_RECIPES
    quiet = calm()
    answers = dict(quiet)
    for recipe in dice.sample(recipes, dice.choice((2, 2, 3))):
        answers |= {name: value for name, value in recipe.items() if quiet.get(name) != value}
    return mutated(dice, answers, dice.choice((0, 0, 1, 2)))


def near_a_contraindication(dice: Dice) -> Answers:
    answers = near_two_rules(dice) if dice.random() < 0.5 else near_a_rule(dice)
    for name in SAFETY_NAMES:
        if dice.random() < 0.5:
            answers[name] = any_value(dice, name)
    if dice.random() < 0.4:
        status = dice.choice(("pregnant", "pregnant", "possible", "unknown"))
        answers |= {"sex_at_birth": "female", "pregnancy_status": status}
    if dice.random() < 0.4:
        answers |= {"mri_safety": dice.choice(("unsafe", "unknown")), "implant": dice.choice(DEFINITE["implant"])}
    return answers


def with_prose(dice: Dice) -> Answers:
    answers = calm() if dice.random() < 0.6 else near_a_rule(dice)
    answers["free_text"] = passage(dice)
    return answers


def sparse(dice: Dice) -> Answers:
    return mutated(dice, {}, dice.randrange(14))


def full(dice: Dice) -> Answers:
    """Every field answered; how often the answer is other than calm differs from form to form."""
    restless, silent = dice.choice((0.02, 0.05, 0.2, 0.9)), dice.choice((0, 0, 0.02, 0.3))
    answers = examined()
    for name, values in DEFINITE.items():
        if dice.random() < restless:
            answers[name] = dice.choice(values)
        if dice.random() < silent:
            answers[name] = dice.choice(VAGUE[name])
    return answers


def wild(dice: Dice) -> Answers:
    """Values no sender may use, everywhere."""
    answers = near_a_rule(dice)
    for name in dice.sample(list(WRONG), dice.choice((1, 3, 10, 40))):
        answers[name] = dice.choice(WRONG[name])
    return answers


MAKERS: list[Callable[[Dice], Answers]] = [
    near_a_rule,
    at_a_threshold,
    weighing,
    near_two_rules,
    near_a_contraindication,
    with_prose,
    sparse,
    full,
    wild,
]
WEIGHTS = (24, 16, 8, 10, 20, 8, 4, 6, 4)


def mutated(dice: Dice, answers: Answers, times: int) -> Answers:
    for name in dice.choices(NAMES, k=times):
        answers[name] = any_value(dice, name)
    return answers


def any_value(dice: Dice, name: str) -> Any:
    if name == "age_years":
        return dice.choice(edges_of(name))
    if name == "free_text":
        return passage(dice)
    chance = dice.random()
    if chance < 0.65:
        return dice.choice(DEFINITE[name])
    if chance < 0.85:
        return dice.choice(VAGUE[name])
    return ABSENT if chance < 0.95 else dice.choice(WRONG[name])


def edges_of(name: str) -> tuple[float, ...]:
    return EDGES[name] if name == "age_years" else edges(BY_NAME[name])


def birth_date(dice: Dice, age: int, today: date) -> Any:
    """A day on which somebody is, or is about to be, that old; rarely none at all."""
    if dice.random() < 0.03:
        return dice.choice((ABSENT, *BAD_BIRTH_DATES))
    year = today.year - age
    if calendar.isleap(year) and dice.random() < 0.3:
        return f"{year:04d}-02-29"
    birthday = today.replace(year=year, day=min(today.day, 28))
    return (birthday + timedelta(days=dice.choice((-200, -1, 0, 1)))).isoformat()


def disturb(dice: Dice, body: Body) -> None:
    """What does not matter, or takes a whole section away."""
    match dice.randrange(4):
        case 0:
            body[dice.choice(SECTIONS)] = dice.choice(BAD_SECTIONS)
        case 1:
            del body[dice.choice(SECTIONS)]
        case 2:
            body["remarks"] = {"bladder_change": "new_or_worse"}
            body["symptoms"] |= {"fast_leg": "present", "cancer": "current", "age_years": 9}
        case _:
            turned = {name: dict(reversed(body[name].items())) for name in reversed(body)}
            body.clear()
            body.update(turned)
