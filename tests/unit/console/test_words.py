"""Words of the console: numbers stay numbers, a time of another day says so, and units stay beside their numbers."""

from datetime import UTC, datetime

import pytest

from services.api.console import words
from services.api.console.trace import trace_of
from shared.clinical.form import read
from shared.clinical.triage import triage
from shared.protocols import ACTIVE, active, cases

NOON = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)


def test_one_day_is_no_yes():
    case = next(each for each in cases(ACTIVE) if each["id"] == "V42")
    body = {**case["form"], "symptoms": {**case["form"]["symptoms"], "duration_days": 1}}
    trace = trace_of(triage(read(body, active(), today=NOON.date()), active()).record())
    said = {each.answer for line in trace.matched for each in line.answers if "how many days" in each.question}
    assert said == {"1"}


@pytest.mark.parametrize(
    ("moment", "said"), [("2026-03-12T09:28:00+00:00", "09:28 UTC"), ("2026-03-11T23:05:00+00:00", "11 Mar, 23:05 UTC")]
)
def test_the_time_of_day_has_its_day_where_that_is_another(moment, said):
    assert words.hour(datetime.fromisoformat(moment), NOON) == said


def test_a_number_stays_beside_its_unit():
    said = words.unbroken("X-ray hip, within 72 h and 1 more")
    assert said == "X-ray hip, within 72\N{NO-BREAK SPACE}h and 1\N{NO-BREAK SPACE}more"
