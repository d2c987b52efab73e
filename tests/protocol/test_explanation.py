"""The explanation of a decision: its answers are the form's, are enough for the rule, and name what is missing."""

import random
from collections.abc import Iterator
from typing import Any

from shared.clinical.form import read
from shared.clinical.triage import triage
from shared.protocols import active

from .bodies import Answers, body_of
from .conftest import Read
from .decisions import service
from .near import DEFINITE
from .reading.answers import UNANSWERED
from .reading.answers import Answers as Cleaned
from .reading.flags import FLAG_OF, RULES

Reason = dict[str, Any]
SILENT = ("unknown", "unsure", "not_asked", "not_tested")


LOINC = {
    "mri_lumbar_spine_wo": "30679-5",
    "mri_whole_spine_wo": "30854-4",
    "mri_whole_spine_wwo": "30855-1",
    "ct_lumbar_spine_wo": "30620-9",
    "ct_lumbar_myelogram": "24965-6",
    "ct_whole_spine_wo": "28566-8",
    "ct_whole_spine_w": "24987-0",
    "mri_hip_wo": "30687-8",
    "mri_pelvis_hip_wo": "30671-2",
    "ct_hip_pelvis_wo": "30615-9",
    "ct_head_wo": "30799-1",
    "xr_hip_pelvis": "30767-8",
    "xr_pelvis_ap_frog": "30770-2",
    "xr_pelvis_ap_crosstable": None,
    "xr_femur": None,
    "xr_knee": "28565-0",
    "us_knee": None,
    "us_hip": None,
    "ct_abdomen_pelvis_w": None,
    "ct_abdomen_pelvis_wo": None,
    "cta_aorta": "30805-6",
    "cta_lower_limb": "30807-2",
}


def explained(generated: list[Read]) -> Iterator[tuple[Cleaned, dict[str, Any]]]:
    """Every twentieth form, cleaned, beside the record of its decision."""
    for body, today, _ in generated[::20]:
        record = triage(read(body, active(), today=today), active()).record()
        yield Cleaned(body, today), record


def field_of(pointer: str) -> str:
    return pointer.partition(".")[2]


def test_the_answers_named_are_those_of_the_form(generated: list[Read]) -> None:
    for form, record in explained(generated):
        named = [pair for reason in record["reasons"] for pair in reason["because"].items()]
        for pointer, value in named:
            given = form.values.get(field_of(pointer))
            assert value == given or ((given is None or isinstance(given, str)) and is_silent(value, pointer))


def is_silent(value: Any, pointer: str) -> bool:
    """Nothing was answered or tested there, or it is the free text, which is named and not quoted."""
    return value in SILENT or pointer == "encounter.free_text"


def test_the_answers_named_are_enough_to_fire_the_rule_again(generated: list[Read]) -> None:
    for _, record in explained(generated):
        for reason in record["reasons"]:
            if reason["rule"] in RULES:
                alone = {field_of(pointer): value for pointer, value in reason["because"].items()}
                assert reason["rule"] in service(body_of(alone))["fired"], (reason["rule"], alone)


def test_an_undetermined_rule_is_settled_by_the_answers_it_misses(generated: list[Read]) -> None:
    dice = random.Random(7)  # noqa: S311  (variety is wanted here, not secrecy)
    for form, record in explained(generated):
        for open_rule in record["undetermined"]:
            missing = [field_of(pointer) for pointer in open_rule["missing"]]
            assert missing
            assert all(form.values[name] is UNANSWERED for name in missing)
            answered = given_by(form) | {name: settled(dice, name) for name in missing}
            assert open_rule["rule"] not in service(body_of(answered))["possible"], (open_rule, answered)


def given_by(form: Cleaned) -> Answers:
    """The form's own answers again, the unanswered ones as unknown."""
    answers = {name: "unknown" if value is UNANSWERED else value for name, value in form.values.items()}
    age = answers.pop("age_years")
    return answers if age == "unknown" else answers | {"age_years": age}


def settled(dice: random.Random, name: str) -> Any:
    return 40 if name == "age_years" else dice.choice(DEFINITE[name])


def test_each_fired_rule_carries_its_flag_and_priority(generated: list[Read]) -> None:
    for _, record in explained(generated):
        for reason in record["reasons"]:
            assert reason["flag"] == FLAG_OF.get(reason["rule"])
            assert reason["text"]
            assert reason["citation"]
            assert reason["because"], reason["rule"]


def test_each_image_names_the_rules_that_asked(generated: list[Read]) -> None:
    for _, record in explained(generated):
        reasons = {reason["rule"] for reason in record["reasons"]}
        assert all(item["because"] and set(item["because"]) <= reasons for item in record["imaging"])


def test_each_image_carries_its_code(generated: list[Read]) -> None:
    codes = {item["study"]: item["loinc"] for _, record in explained(generated) for item in record["imaging"]}

    assert codes == {study: LOINC[study] for study in codes}
