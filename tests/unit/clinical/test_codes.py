"""Every code of the protocol is a real one: check digits of LOINC and SNOMED, the table of ICD-10-CM."""

import importlib
import warnings

import pytest
from stdnum import luhn, verhoeff

from shared.protocols import active

PROTOCOL = active()
CODED = [*PROTOCOL.form.comparable.values(), *PROTOCOL.rules.values(), *PROTOCOL.routes]


def codes(system):
    return sorted({code for each in CODED for code in each.codes.get(system, ())})


LOINC = sorted({*codes("loinc"), *(study.loinc for study in PROTOCOL.imaging.studies.values() if study.loinc)})
# Those that the specification is not sure of ship as text only.
UNSURE = {"165232002", "274152003", "441509002", "128196005", "S73.19", "M24.15", "36813-4", "24531-6", "24532-6"}


@pytest.fixture(scope="module")
def icd():
    """The table of ICD-10-CM; its package reads its data in a way that Python 3.11 calls old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module("simple_icd_10_cm")


@pytest.mark.parametrize("code", LOINC)
def test_loinc(code):
    assert luhn.is_valid(code.replace("-", ""))


@pytest.mark.parametrize("code", codes("snomed"))
def test_snomed(code):
    assert verhoeff.is_valid(code)


@pytest.mark.parametrize("code", codes("icd10cm"))
def test_icd(icd, code):
    assert icd.is_valid_item(code)


def test_no_unsure_code_is_shipped():
    assert not UNSURE & {*LOINC, *codes("snomed"), *codes("icd10cm")}


def test_a_study_that_has_only_codes_of_sides_has_none():
    studies = PROTOCOL.imaging.studies
    without = {name for name, study in studies.items() if study.loinc is None}
    assert without == {
        "xr_femur",
        "us_hip",
        "xr_pelvis_ap_crosstable",
        "us_knee",
        "ct_abdomen_pelvis_w",
        "ct_abdomen_pelvis_wo",
    }
