"""Fills the tables: with intakes that wait for triage, or with as many triaged ones as a service has after years."""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, func, insert, select, text
from uuid_utils.compat import uuid7

from bench.scene import FACILITY, Scene
from services.worker.alone import COMMAND
from services.worker.child import Child
from services.worker.triage import Triager
from shared.clinical.form import read
from shared.clinical.triage import screen, triage
from shared.clock import now
from shared.crypto import IdentityCipher, keyed_hash
from shared.protocols import active
from shared.tables import Decision, Event, Intake, Referral
from shared.task_queues import LANES

IDENTITY = b'{"mrn": "1234567890", "family_name": "Example", "given_name": "Alex", "birth_date": "1976-01-01"}'
POLL_SECONDS = 0.05
CHUNK = 1_000
COPIES = text(
    "create temporary table copies on commit drop as select id as intake_id, uuidv7() as new_intake_id, "
    "uuidv7() as new_referral_id, random() * interval '365 days' as later "
    "from intakes cross join generate_series(1, :times)"
)
ENDS = {
    "queued": {},
    "completed": {"status": "'completed'", "acknowledged_by": "'Dr A. Okafor'", "acknowledged_at": "created_at"},
}
UNLIMITED = text("set local statement_timeout = 0")


def receive(scene: Scene, count: int, bodies: Sequence[dict[str, Any]]) -> list[UUID]:
    """Store `count` intakes as the API stores them, the bodies in turn; return their ids."""
    rows = [_row(scene, body) for body in bodies]
    cipher = IdentityCipher(scene.settings.identity_keys)
    ids = [uuid7() for _ in range(count)]
    intakes = [
        {**rows[number % len(rows)], "id": intake_id, "identity": cipher.seal(IDENTITY, row=str(intake_id))}
        for number, intake_id in enumerate(ids)
    ]
    with scene.sessions.begin() as session:
        session.execute(UNLIMITED)
        for start in range(0, count, CHUNK):
            session.execute(insert(Intake), intakes[start : start + CHUNK])
    return ids


def waiting(scene: Scene) -> int:
    """Return how many intakes wait for triage."""
    with scene.sessions() as session:
        return session.scalar(select(func.count()).select_from(Intake).where(Intake.status == "received")) or 0


def triaged(scene: Scene) -> int:
    """Return how many intakes stand in a worklist."""
    with scene.sessions() as session:
        return session.scalar(select(func.count()).select_from(Referral)) or 0


def wait_until_drained(scene: Scene) -> None:
    """Return when nothing waits for triage any more."""
    while waiting(scene):
        time.sleep(POLL_SECONDS)


def triage_here(scene: Scene) -> None:
    """Triage everything that waits, in this process."""
    with Child(COMMAND) as child:
        triager = Triager(scene.sessions, active(), frozenset(), child, triage)
        for lane in LANES:
            while triager.triage_waiting(lane):
                pass


def multiply(scene: Scene, times: int, *, status: str) -> None:
    """Copy every intake with its decision, referral and events `times` over; the copies' referrals have `status`.

    They are due after the originals, so that a first page shows originals: a copy's identity does not open.
    """
    with scene.engine.begin() as connection:
        connection.execute(UNLIMITED)
        connection.execute(COPIES, {"times": times})
        _copy(connection, Intake.__table__, "id", {"id": "new_intake_id", "external_id": "null"})
        _copy(connection, Decision.__table__, "intake_id", {"intake_id": "new_intake_id"})
        referral = {"id": "new_referral_id", "intake_id": "new_intake_id", "acknowledge_by": "acknowledge_by + later"}
        _copy(connection, Referral.__table__, "intake_id", {**referral, **ENDS[status]})
        _copy(
            connection, Event.__table__, "intake_id", {"referral_id": "new_referral_id", "intake_id": "new_intake_id"}
        )
    settle(scene)


def settle(scene: Scene) -> None:
    """Do at once what autovacuum does in its own time, so that it falls into no measurement."""
    with scene.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("set statement_timeout = 0"))
        connection.execute(text("vacuum analyze"))
        connection.execute(text("checkpoint"))
        connection.execute(text("reset statement_timeout"))


def _row(scene: Scene, body: dict[str, Any]) -> dict[str, Any]:
    form = read(body, active(), today=now().date())
    return {
        "facility": FACILITY,
        "lane": screen(form, active()),
        "today": now().date(),
        "answers": form.record(),
        "mrn_hash": keyed_hash(scene.settings.lookup_key, b"mrn"),
        "body_hash": keyed_hash(scene.settings.lookup_key, b"body"),
        "request_id": "bench",
    }


def _copy(connection: Connection, table: Table, joined: str, changes: Mapping[str, str]) -> None:
    names = [column.name for column in table.columns if column.identity is None]
    values = [changes.get(name, f'{table.name}."{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    connection.execute(
        text(
            f"insert into {table.name} ({quoted}) select {', '.join(values)} "  # noqa: S608 - names from our own tables
            f"from {table.name} join copies on copies.intake_id = {table.name}.{joined}"
        )
    )
