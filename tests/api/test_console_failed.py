"""The console's page of failed work: what did not arrive is listed and retried, of one's own facility alone."""

import re

import pytest
from sqlalchemy import func, select, update

from shared.platform.crypto import IdentityCipher
from shared.store.delivery import destinations
from shared.store.delivery.destinations import Place
from shared.tables import Delivery
from tests.api.test_console import Person


@pytest.fixture
def parked(sessions, settings, caller, referral):
    """Deliveries of two facilities that a department's system has refused for good; their referrals."""
    with sessions.begin() as session:
        place = Place("neurology", None, 0, "http://127.0.0.1:9/hook")
        destinations.put(session, place, IdentityCipher(settings.identity_keys))
    cases = [referral("neurology"), referral("neurology", sender=caller("submitter", facility="city"), mrn="MRN-2")]
    with sessions.begin() as session:
        session.execute(update(Delivery).values(status="parked", ended_at=func.now(), error="refused"))
    return cases


def statuses(sessions):
    with sessions() as session:
        return {
            str(row.referral_id): row.status for row in session.execute(select(Delivery.referral_id, Delivery.status))
        }


def test_an_operator_sees_the_count_and_retries_all_at_one_press(app, caller, sessions, parked):
    browser = Person(app, caller("operator").key)
    page = browser.get("/console/failed").text
    assert "Parked deliveries (2)" in page
    assert all(f">{case['reference']}</a>" in page for case in parked)
    assert "tried again" not in page
    assert "<strong>2</strong> deliveries are parked" in re.sub(r"\s+", " ", browser.get("/console").text)
    answer = browser.press("/console/failed/retry")
    assert "2 deliveries are tried again now." in browser.get(answer.headers["Location"]).text
    assert set(statuses(sessions).values()) == {"due"}


def test_an_operator_of_one_facility_sees_and_retries_its_own_alone(app, caller, sessions, parked):
    own, foreign = (case["id"] for case in parked)
    browser = Person(app, caller("operator", facility="st-marys").key)
    page = browser.get("/console/failed").text
    assert "Parked deliveries (1)" in page
    assert own in page
    assert foreign not in page
    with sessions() as session:
        other = session.scalar(select(Delivery.id).where(Delivery.referral_id == foreign))
    assert browser.press("/console/failed/retry", {"delivery": str(other)}).status_code == 404
    browser.press("/console/failed/retry")
    assert statuses(sessions) == {own: "due", foreign: "parked"}
