"""Intakes that wait for triage, the triager that the workers use, referrals and who hears of them."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select
from uuid_utils.compat import uuid7

from services.worker.triage.sandbox import Sandbox
from services.worker.triage.sandbox_process import COMMAND
from services.worker.triage.triager import Triager
from shared.clinical.form import read
from shared.clinical.triage import screen, triage
from shared.platform.task_queues import LANES
from shared.protocols import active
from shared.tables import Destination, Intake, Referral
from tests.cases import case_for

TODAY = date(2026, 11, 22)
RED = {"bladder_change": "new_or_worse"}
CALM = case_for("clinical_review", "routine")  # nothing in it is urgent, and nothing unanswered


@pytest.fixture
def intake(sessions):
    """Return a function that stores a waiting intake and returns its id; symptoms and columns by keyword."""

    def store(*, lane=None, symptoms=None, waited=timedelta(0), **columns) -> UUID:
        form = read(CALM.body(**(symptoms or {})), active(), today=TODAY)
        row = {
            "id": uuid7(),
            "facility": "st-marys",
            "lane": lane or screen(form, active()),
            "today": TODAY,
            "answers": form.record(),
            "identity": b"sealed",
            "mrn_hash": b"hash",
            "body_hash": b"hash",
            "request_id": "test",
            "received_at": func.now() - waited,
            **columns,
        }
        with sessions.begin() as session:
            session.execute(insert(Intake).values(**row))
        return row["id"]

    return store


@pytest.fixture
def sandbox():
    with Sandbox(COMMAND) as sandbox:
        yield sandbox


@pytest.fixture
def triager(sessions, sandbox):
    return Triager(sessions, active(), frozenset(), sandbox, triage, announce=lambda _: None)


@pytest.fixture
def referral(sessions, intake, triager):
    """Return a function that has an intake triaged and returns its referral; a red flag where nothing else is said."""

    def triaged(*, symptoms=RED, **options) -> Referral:
        intake_id = intake(symptoms=symptoms, **options)
        for lane in LANES:
            triager.triage_waiting(lane)
        with sessions() as session:
            return session.scalars(select(Referral).where(Referral.intake_id == intake_id)).one()

    return triaged


@pytest.fixture
def destination(sessions):
    """Return a function that adds a destination of a queue and returns its id; other columns by keyword."""

    def add(queue="urgent", **columns) -> UUID:
        row = {"id": uuid7(), "queue": queue, "url": f"https://{uuid7()}.example", "secret": b"sealed", **columns}
        with sessions.begin() as session:
            session.execute(insert(Destination).values(**row))
        return row["id"]

    return add
