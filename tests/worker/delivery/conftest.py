"""Departments' systems that misbehave, referrals that they should hear of, and the dispatcher that the workers use."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from services.worker.delivery.dispatcher import Dispatcher
from services.worker.delivery.sender import Sender
from shared.platform.crypto import IdentityCipher
from shared.store.delivery import destinations
from shared.store.delivery.destinations import Place
from shared.tables import Delivery, DeliveryAttempt, Destination, Event
from tests.receiver import receiver

RED = {"bladder_change": "new_or_worse"}
ATTEMPT_SECONDS = 1.5
RESTS_ARE_OVER = update(Destination).values(rests_until=None)


@dataclass(frozen=True)
class Department:
    """A destination, its secret, and the system behind it."""

    id: UUID
    secret: str
    receiver: object


@pytest.fixture
def cipher(settings):
    return IdentityCipher(settings.identity_keys)


@pytest.fixture
def department(sessions, cipher):
    """Return a function that makes a destination with a receiver behind it; whose, and how it answers, by keyword."""
    with_receivers = []

    def add(queue="urgent", *, answer=None, facility=None, level=0, path="") -> Department:
        context = receiver()
        started = context.__enter__()
        with_receivers.append(context)
        if answer:
            started.answer = answer
        with sessions.begin() as session:
            place = Place(queue, facility, level, started.url + path)
            destination_id, secret = destinations.put(session, place, cipher)
        return Department(destination_id, secret, started)

    yield add
    for context in with_receivers:
        context.__exit__(None, None, None)


@pytest.fixture
def dispatcher(sessions, cipher):
    return Dispatcher(sessions, cipher, Sender(loopback=True, seconds=ATTEMPT_SECONDS), lambda _: None)


@pytest.fixture
def refer(sessions, intake, triager):
    """Return a function that makes so many red-flag referrals, each of which its department should hear of."""

    def make(count=1) -> list[UUID]:
        for _ in range(count):
            intake(symptoms=RED)
        while triager.triage_waiting("priority"):
            pass
        with sessions() as session:
            return list(session.scalars(select(Delivery.id).where(Delivery.status == "due").order_by(Delivery.due_at)))

    return make


@pytest.fixture
def stored(sessions):
    """What the tables say of deliveries."""

    class Stored:
        def delivery(self, delivery_id) -> Delivery:
            with sessions() as session:
                return session.get_one(Delivery, delivery_id)

        def statuses(self) -> list[str]:
            with sessions() as session:
                return list(session.scalars(select(Delivery.status).order_by(Delivery.created_at)))

        def attempts(self, delivery_id) -> list[DeliveryAttempt]:
            of = select(DeliveryAttempt).where(DeliveryAttempt.delivery_id == delivery_id)
            with sessions() as session:
                return list(session.scalars(of.order_by(DeliveryAttempt.attempt)))

        def destination(self, department) -> Destination:
            with sessions() as session:
                return session.get_one(Destination, department.id)

        def events(self, kind) -> list[Event]:
            with sessions() as session:
                return list(session.scalars(select(Event).where(Event.type == kind).order_by(Event.id)))

        def seconds_until_due(self, delivery_id) -> float:
            with sessions() as session:
                left = select(Delivery.due_at - func.clock_timestamp()).where(Delivery.id == delivery_id)
                return session.scalar(left).total_seconds()

        def rests_are_over(self) -> None:
            with sessions.begin() as session:
                session.execute(RESTS_ARE_OVER)

        def come_due(self, but=None) -> None:
            """Let all pauses and rests be over; who changes deliveries holds their destination, as workers do."""
            ago = func.clock_timestamp() - timedelta(seconds=5)
            with sessions.begin() as session:
                session.execute(RESTS_ARE_OVER)
                due = update(Delivery).where(Delivery.status == "due", Delivery.id.is_distinct_from(but))
                session.execute(due.values(due_at=ago))

        def leases_run_out(self) -> None:
            """Let whoever has a delivery have had it for too long."""
            with sessions.begin() as session:
                leased = update(Delivery).where(Delivery.lease_until.is_not(None))
                session.execute(leased.values(lease_until=func.clock_timestamp()))

    return Stored()
