"""The worked cases as forms for a service that goes by its own clock."""

import time
from typing import Any

from tests.cases import Case, case_for

CANARY = "Canary"  # in every name and record number: where the API's answers are not, no such word may be


def form_of(case: Case, mrn: str) -> dict[str, Any]:
    """Return the form of the patient `mrn`; born on 1 January, so of the case's age on every day of this year."""
    form = case.body(mrn)
    names = {"family_name": f"{CANARY} {mrn}", "given_name": CANARY}
    born = f"{time.gmtime().tm_year - case.age_years}-01-01"
    return form | {"patient": form["patient"] | names | {"birth_date": born}}


def form_for(queue: str, mrn: str) -> dict[str, Any]:
    """Return a form of the patient `mrn` that belongs in `queue`."""
    return form_of(case_for(queue), mrn)
