"""Values for each field: every allowed answer, the edges of every threshold, and things that are no answer."""

from typing import Any

from .reading.vocabulary import FIELDS, FORMER_TRI, OLD_ANSWERS, Field

EDGES: dict[str, tuple[float, ...]] = {
    "age_years": (0, 11, 12, 13, 15, 16, 17, 18, 40, 49, 50, 55, 56, 59, 60, 61, 74, 75, 76, 120, 121),
    "duration_days": (
        0,
        1,
        1.5,
        2,
        7,
        7.5,
        8,
        14,
        14.5,
        15,
        21,
        21.5,
        22,
        27,
        27.9,
        28,
        41,
        41.5,
        42,
        42.5,
        43,
        100,
        43830,
    ),
    "pain_score": (0, 1, 3, 4, 4.5, 5, 8, 10),
    "egfr": (0, 15, 29.9, 30, 31, 90, 300),
    "temperature_c": (25, 36.5, 37.9, 37.99, 38, 38.0, 39.5, 45),
    "heart_rate": (0, 70, 110, 110.5, 111, 130.9, 131, 140, 350),
    "systolic_bp": (0, 80, 90, 90.5, 99, 99.5, 100, 130, 350),
    "crp_mg_l": (0, 3, 49.9, 50, 51, 300, 2000),
    "wbc_10e9_l": (0, 7, 14.9, 15, 30, 1000),
    "haemoglobin_g_l": (0, 70, 89.9, 90, 140, 300),
    "post_void_residual_ml": (0, 100, 199, 199.5, 200, 480, 5000),
}
MRC_GRADES = (0, 1, 2, 2.5, 3, 4, 4.5, 5)
WITHOUT_ANSWER = ("unknown", "not_asked", None)
NO_ANSWER: tuple[Any, ...] = (
    "",
    "Present",
    " present",
    "yes please",
    "not_tested",
    "unsure",
    "none",
    "absent",
    "38",
    True,
    False,
    -1,
    -0.1,
    2**60,
    1e300,
    float("nan"),
    float("inf"),
    [],
    ["present"],
    {},
    {"value": "present"},
)


def edges(field: Field) -> tuple[float, ...]:
    """Numbers around the thresholds of a numeric field, its range included."""
    if field.name.startswith("mrc_"):
        return MRC_GRADES
    low, high = field.span or (0, 0)
    return EDGES.get(field.name, (low, (low + high) / 2, high))


def outside(field: Field) -> tuple[float, ...]:
    low, high = field.span or (0, 0)
    return (low - 0.1, high + 0.1, high + 1)


def definite(field: Field) -> tuple[Any, ...]:
    """Answers that say something."""
    old_answers = tuple(OLD_ANSWERS) if field.name in FORMER_TRI else ()
    return edges(field) if field.span else field.answers + old_answers


def vague(field: Field) -> tuple[Any, ...]:
    """Answers the form allows that say nothing."""
    if field.name == "limiting_factor":
        return (*WITHOUT_ANSWER, "unsure")
    return (*WITHOUT_ANSWER, "not_tested") if field.is_finding else WITHOUT_ANSWER


def wrong(field: Field) -> tuple[Any, ...]:
    """Values no sender may use, which count as missing."""
    return NO_ANSWER + outside(field) if field.span else NO_ANSWER


BY_NAME = {field.name: field for field in FIELDS}
DEFINITE = {field.name: definite(field) for field in FIELDS}
VAGUE = {field.name: vague(field) for field in FIELDS}
WRONG = {field.name: wrong(field) for field in FIELDS}
