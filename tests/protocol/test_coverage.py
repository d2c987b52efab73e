"""The generated forms reach everything there is to decide, often enough to make their agreement worth something."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date

import pytest

from .bodies import Body
from .conftest import Read
from .decisions import FLOORS, Result
from .reading.answers import Answers
from .reading.flags import FLAG_OF, RULES
from .reading.free_text import outcomes
from .reading.headlines import HEADLINES
from .reading.requests import requests
from .reading.word_lists import GROUPS

ROUTES = """
    FR1 FR2 FR3 FR4 FR5 FR6 FR7 SN0 SN1 SN2 SM1A SM1 SM2 SJ2 SJ1A SJ1 SC1 SC1A MX1 MX2
"""
CAUTIONS = """
    child_dose_and_sedation claustrophobia contrast_history_check egfr_below_30 gadolinium_reaction
    hip_prosthesis_metal_artefact iodinated_reaction mri_contraindicated mri_device_check mri_safety_unknown
    pregnancy pregnancy_test_first
"""
STUDIES = """
    mri_lumbar_spine_wo mri_whole_spine_wo mri_whole_spine_wwo mri_hip_wo mri_pelvis_hip_wo
    ct_lumbar_spine_wo ct_lumbar_myelogram ct_whole_spine_wo ct_whole_spine_w ct_hip_pelvis_wo ct_head_wo
    ct_abdomen_pelvis_w ct_abdomen_pelvis_wo cta_aorta cta_lower_limb
    xr_hip_pelvis xr_pelvis_ap_frog xr_pelvis_ap_crosstable xr_femur xr_knee us_knee us_hip
"""

MEASURED = {"XE17"}  # it looks at findings only, and an untested finding is no unanswered question

Names = Callable[[Result], Iterable[str]]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        pytest.param(lambda result: result["fired"], set(FLAG_OF), id="rules that fire"),
        pytest.param(lambda result: result["possible"], set(RULES) - MEASURED, id="rules that stay undetermined"),
        pytest.param(lambda result: [result["route"] or "none"], {*ROUTES.split(), "none"}, id="routes"),
        pytest.param(lambda result: result["floors"], set(FLOORS), id="floors"),
        pytest.param(lambda result: [result["owner"] or "none"], {*FLAG_OF, "none"}, id="owners"),
        pytest.param(lambda result: result["cautions"], set(CAUTIONS.split()), id="cautions"),
        pytest.param(lambda result: studies(result), set(STUDIES.split()), id="studies"),
        pytest.param(lambda result: result["mentioned"], set(GROUPS), id="groups only mentioned"),
        pytest.param(lambda result: [result["contact_minutes"]], {10, 60, 240, 1440, 4320, None}, id="contact"),
        pytest.param(lambda result: [result["headline"]], set(HEADLINES.values()), id="headlines"),
    ],
)
def test_each_is_reached_at_least_20_times(generated: list[Read], names: Names, wanted: set[str]) -> None:
    times = Counter(name for _, _, result in generated for name in names(result))

    assert set(times) == wanted
    assert {name: count for name, count in times.items() if count < 20} == {}


def studies(result: Result) -> list[str]:
    return [item["study"] for item in result["imaging"]]


def test_each_free_text_group_has_each_outcome_at_least_20_times(generated: list[Read]) -> None:
    texts = (Answers(body, today).free_text for body, today, _ in generated)
    times = Counter(pair for text in texts for pair in outcomes(text, 2026).items())

    assert set(times) == {(group, outcome) for group in GROUPS for outcome in ("asserted", "mentioned", "denied")}
    assert {pair: count for pair, count in times.items() if count < 20} == {}


@pytest.mark.parametrize(
    ("study", "first"),
    [
        ("mri_hip_wo", "xr_hip_pelvis"),
        ("us_hip", "xr_hip_pelvis"),
        ("us_hip", "mri_hip_wo"),
        ("ct_hip_pelvis_wo", "mri_hip_wo"),
        ("ct_hip_pelvis_wo", "mri_pelvis_hip_wo"),
        ("ct_lumbar_spine_wo", "mri_lumbar_spine_wo"),
        ("ct_lumbar_myelogram", "mri_lumbar_spine_wo"),
        ("ct_whole_spine_wo", "mri_whole_spine_wo"),
        ("ct_whole_spine_wo", "mri_whole_spine_wwo"),
        ("ct_whole_spine_w", "mri_whole_spine_wwo"),
        ("mri_whole_spine_wo", "mri_whole_spine_wwo"),
        ("ct_abdomen_pelvis_wo", "ct_abdomen_pelvis_w"),
    ],
)
def test_each_replacement_happens_at_least_5_times(generated: list[Read], study: str, first: str) -> None:
    items = (item for _, _, result in generated for item in result["imaging"])

    assert sum((item["study"], item["instead_of"]) == (study, first) for item in items) >= 5


def test_no_kind_of_result_crowds_out_the_others(generated: list[Read]) -> None:
    share = Counter(result["priority"] for _, _, result in generated)

    assert min(share.values()) >= len(generated) / 20


@pytest.fixture(scope="module")
def asked(generated: list[Read]) -> list[set[str]]:
    """Which studies each form asks for."""
    return [requested(body, today, result) for body, today, result in generated]


@pytest.mark.parametrize(
    ("study", "successor"),
    [
        ("mri_lumbar_spine_wo", "mri_whole_spine_wo"),
        ("mri_lumbar_spine_wo", "mri_whole_spine_wwo"),
        ("mri_whole_spine_wo", "mri_whole_spine_wwo"),
        ("ct_whole_spine_wo", "mri_whole_spine_wwo"),  # as CT with contrast, where MRI is unsafe
        ("xr_hip_pelvis", "xr_pelvis_ap_frog"),
        ("xr_hip_pelvis", "xr_pelvis_ap_crosstable"),
        ("mri_hip_wo", "mri_pelvis_hip_wo"),
    ],
)
def test_each_supersession_is_asked_for_at_least_5_times(asked: list[set[str]], study: str, successor: str) -> None:
    assert sum({study, successor} <= studies for studies in asked) >= 5


def requested(body: Body, today: date, result: Result) -> set[str]:
    """The studies the fired rules ask for, before any gives way to another."""
    return {study for study, _ in requests(Answers(body, today), set(result["fired"]))}
