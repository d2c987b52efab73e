"""Intakes that wait for triage: many at once, whether some are left, and how fast they became fewer."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text
from uuid_utils.compat import uuid7

from bench.scene import FACILITY, Scene
from services.worker.triage.sandbox import Sandbox
from services.worker.triage.sandbox_process import COMMAND
from services.worker.triage.triager import Triager
from shared.clinical.form import read
from shared.clinical.triage import screen, triage
from shared.platform.clock import now
from shared.platform.crypto import IdentityCipher, keyed_hash
from shared.platform.task_queues import LANES, TRIAGE_TASK, triage_queue
from shared.platform.wake_ups.publisher import create_producer
from shared.protocols import active
from shared.tables import Intake

IDENTITY = b'{"mrn": "1234567890", "family_name": "Example", "given_name": "Alex", "birth_date": "1976-01-01"}'
POLL_SECONDS = 0.05
CHUNK = 1_000
DUPLICATE = 30
UNLIMITED = text("set local statement_timeout = 0")
# A walk along the index of what waits: whoever counted it would read the whole backlog at each look.
MORE_WAIT = text(
    "select true from intakes where status = 'received' order by lane, received_at, id offset :most limit 1"
)


def receive(scene: Scene, count: int, bodies: Sequence[dict[str, Any]]) -> list[UUID]:
    """Store `count` intakes as the API stores them, the bodies in turn; return their ids."""
    rows = [_row(scene, body) for body in bodies]
    cipher = IdentityCipher(scene.settings.identity_keys)
    ids = [uuid7() for _ in range(count)]
    intakes = [
        {
            **rows[number % len(rows)],
            "id": intake_id,
            "mrn_hash": keyed_hash(scene.settings.lookup_key, b"patient %d" % _patient(number)),
            "identity": cipher.seal(IDENTITY, row=str(intake_id)),
        }
        for number, intake_id in enumerate(ids)
    ]
    with scene.sessions.begin() as session:
        session.execute(UNLIMITED)
        for start in range(0, count, CHUNK):
            session.execute(insert(Intake), intakes[start : start + CHUNK])
    return ids


def more_wait(scene: Scene, most: int = 0) -> bool:
    """Say whether more than `most` intakes wait for triage."""
    with scene.sessions() as session:
        return bool(session.scalar(MORE_WAIT, {"most": most}))


def triaged_per_second(scene: Scene) -> float:
    """Return the rate at which the intakes received last were triaged.

    It counts between the first transaction, whose own intakes do not count, and the last.
    """
    last_received = Intake.received_at == select(func.max(Intake.received_at)).scalar_subquery()
    first = select(func.min(Intake.triaged_at)).where(last_received).scalar_subquery()
    seconds = func.extract("epoch", func.max(Intake.triaged_at) - first)
    with scene.sessions() as session:
        count, span = session.execute(
            select(func.count(), seconds).where(last_received, Intake.triaged_at > first)
        ).one()
    return float(count / span)


def announce(scene: Scene) -> None:
    """Send the one message that makes our workers look, for each lane."""
    producer = create_producer(scene.settings)
    for lane in LANES:
        producer.send_task(TRIAGE_TASK, (lane,), queue=triage_queue(lane))


def wait_until_drained(scene: Scene) -> None:
    """Return when nothing waits for triage any more."""
    while more_wait(scene):
        time.sleep(POLL_SECONDS)


def triage_here(scene: Scene) -> None:
    """Triage everything that waits, in this process."""
    with Sandbox(COMMAND) as sandbox:
        triager = Triager(scene.sessions, active(), frozenset(), sandbox, triage, announce=lambda _: None)
        for lane in LANES:
            while triager.triage_waiting(lane):
                pass


def _patient(number: int) -> int:
    """Return whose form it is: one in DUPLICATE is of the patient of the one before."""
    return number - (number % DUPLICATE == 1)


def _row(scene: Scene, body: dict[str, Any]) -> dict[str, Any]:
    form = read(body, active(), today=now().date())
    return {
        "facility": FACILITY,
        "lane": screen(form, active()),
        "today": now().date(),
        "answers": form.record(),
        "body_hash": keyed_hash(scene.settings.lookup_key, b"body"),
        "request_id": "bench",
    }
