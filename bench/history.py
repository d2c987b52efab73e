"""A database as it is after years: every intake with its decision, referral and events, copied many times over."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, text

from bench.backlog import UNLIMITED
from bench.scene import Scene
from shared.tables import Decision, Event, Intake, Referral

COPIES = text(
    "create temporary table copies on commit drop as select id as intake_id, uuidv7() as new_intake_id, "
    "uuidv7() as new_referral_id, random() * interval '365 days' as later "
    "from intakes cross join generate_series(1, :times)"
)
ENDS = {
    "queued": {},
    "completed": {"status": "'completed'", "acknowledged_by": "'Dr A. Okafor'", "acknowledged_at": "created_at"},
}


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
