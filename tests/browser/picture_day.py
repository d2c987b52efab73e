"""The day that the pictures show: the cases of the demo, what its people do with them, and some work that fails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import insert, select, update

from services.cli.demo.patients import form_for
from services.cli.demo.shift import DONE, EARLIER_MINUTES, Step, story
from services.worker.triage.sandbox import Sandbox
from services.worker.triage.triager import Triager
from shared.platform.crypto import IdentityCipher
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.platform.task_queues import LANES
from shared.protocols import ACTIVE, active, cases
from shared.store.access import facilities, keys
from shared.store.delivery import destinations
from shared.store.delivery.destinations import Place
from shared.tables import Delivery, DeliveryAttempt
from tests.browser.fixed_time import NOW, Time
from tests.worker.misbehave import COMMAND, RAISES, misbehave

FACILITIES = ("st-marys", "city-hospital", "harbour-clinic")
DESTINATION = "https://his.example/neurology/referrals"
MISTAKEN = "V59"  # the case whose triage fails
UNREACHED = 3  # deliveries that are parked


@dataclass(frozen=True)
class Happening:
    """Something that happens on the day of the pictures: a form that comes, or a step of a person."""

    at: datetime
    case: str
    facility: str
    form: dict[str, Any] | None = None
    step: Step | None = None


def day() -> list[Happening]:
    """Return what happens, in its order: the forms of the demo, and what its people do with them."""
    worked = cases(ACTIVE)
    calm = [case for case in worked if case["expect"]["queue"] != "urgent"]
    came = [
        (case["id"], _form(case, place, f"DEMO-{case['id']}"), *story(case["id"], case["expect"]["priority"], place))
        for place, case in enumerate(worked)
    ]
    for place, minutes in enumerate(EARLIER_MINUTES):
        form = _form(calm[place % len(calm)], len(worked) + place, f"DEMO-E{place:02}")
        came.append((f"E{place:02}", form, minutes, DONE[place % len(DONE)]))
    happenings = []
    for place, (name, form, minutes, steps) in enumerate(came):
        received, facility = NOW - timedelta(minutes=minutes), FACILITIES[place % len(FACILITIES)]
        happenings.append(Happening(received, name, facility, form=form))
        for number, step in enumerate(steps, 1):
            at = received + (NOW - received) * number / (len(steps) + 2)
            happenings.append(Happening(at, name, facility, step=step))
    return sorted(happenings, key=lambda each: each.at)


def _form(case: dict[str, Any], number: int, mrn: str) -> dict[str, Any]:
    form = form_for(case, number, mrn)
    return form | ({"symptoms": form["symptoms"] | {"pain_score": RAISES}} if mrn == f"DEMO-{MISTAKEN}" else {})


def live_through(app: Flask, sessions: Sessions, settings: Settings, time: Time) -> dict[str, str]:
    """Let the day happen through the API; return the referrals' ids by case."""
    client, ids = app.test_client(), dict[str, str]()

    def bearer(role: str, facility: str | None = None) -> dict[str, str]:
        with sessions.begin() as session:
            return {"Authorization": f"Bearer {keys.issue(session, role=role, facility=facility)[1]}"}

    with sessions.begin() as session:
        for facility in FACILITIES:
            facilities.register(session, facility)
        place = Place("neurology", None, 0, DESTINATION)
        destinations.put(session, place, IdentityCipher(settings.identity_keys))
    senders, operator = {facility: bearer("submitter", facility) for facility in FACILITIES}, bearer("operator")
    with Sandbox(COMMAND) as sandbox:
        triager = Triager(sessions, active(), frozenset(), sandbox, misbehave, announce=lambda _: None)
        for each in day():
            time.set(each.at)
            if each.form:
                sender = senders[each.facility]
                where = client.post("/v1/intakes", json=each.form, headers=sender).headers["Location"]
                for lane in LANES:
                    while triager.triage_waiting(lane):
                        pass
                found = client.get(where, headers=sender).json or {}
                ids[each.case] = str(found["referral"]["links"]["self"]).rpartition("/")[2]
            elif each.step:
                path = f"/v1/referrals/{ids[each.case]}/{each.step.action}"
                answer = client.post(path, json={"by": each.step.by, **each.step.words}, headers=operator)
                assert answer.status_code == 200, answer.text
    time.set(NOW)
    park_the_last(sessions)
    return ids


def park_the_last(sessions: Sessions) -> None:
    """Have the last deliveries be given up after their attempts, and the others have arrived."""
    with sessions.begin() as session:
        due = session.scalars(select(Delivery).order_by(Delivery.created_at.desc(), Delivery.event_id.desc())).all()
        session.execute(update(Delivery).values(status="delivered", ended_at=NOW))
        for delivery in due[:UNREACHED]:
            parked = {"status": "parked", "attempts": 3, "error": "timed out", "ended_at": NOW}
            session.execute(update(Delivery).where(Delivery.id == delivery.id).values(parked))
            for attempt in (1, 2, 3):
                at = delivery.created_at + timedelta(seconds=20 * attempt**3)
                failed = {"at": at, "duration_ms": 5000, "http_status": None, "error": "timed out"}
                session.execute(insert(DeliveryAttempt).values(delivery_id=delivery.id, attempt=attempt, **failed))
