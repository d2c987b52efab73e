"""A database as it is after years: every intake with its decision, referral and events, copied many times over.

Copied by the database from what triage made of a few forms, because triage itself would take hours for a million.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import Connection, Table, text

from bench.backlog import DUPLICATE, UNLIMITED
from bench.scene import Scene
from shared.store.event_log.feed import catch_up
from shared.tables import Decision, Event, Intake, Referral

Patients = Literal["own", "one"]

# As old as their place says, over a year, so that ids, times and the order on the disk agree as they do after a year.
# They are due later than what was copied, so that a first page shows the originals: a copy's identity does not open.
COPIES = text("""
    create temporary table copies on commit drop as
    select form as intake_id, uuidv7(-age) as new_intake_id, uuidv7(-age) as new_referral_id,
        now() - age as at, random() * interval '365 days' as later, place
    from (
        select form, place, interval '365 days' * (1.0 - place / all_copies::float) as age
        from (
            select id as form, count(*) over () as all_copies, row_number() over (order by copy, id) as place
            from intakes cross join generate_series(1, :times) as copy
        ) as numbered
    ) as aged
    order by place
""")
# Their own with a few duplicates, as the originals; or all have the number that is typed where none is known.
PATIENT: Mapping[Patients, str] = {
    "own": f"sha256(convert_to('patient ' || place - (place % {DUPLICATE} = 1)::int, 'UTF8'))",
    "one": "sha256(convert_to('0000', 'UTF8'))",
}
ALL_OF_ONE = text(f"update referrals set mrn_hash = {PATIENT['one']}, patient_hash = {PATIENT['one']}")  # noqa: S608
TIMES = ("received_at", "form_received_at", "triaged_at", "decided_at", "created_at", "at")
COMPLETED = {"status": "'completed'", "acknowledged_by": "'Dr A. Okafor'", "acknowledged_at": "copies.at"}
# Of the chain only the numbers are true: nobody computes these digests again.
CHAIN = {
    "number": "(select max(number) from events) + row_number() over (order by place)",
    "digest": "sha256(uuid_send(new_referral_id))",
}
STEPS = ("acknowledged", "completed")
MORE_EVENTS = text(f"""
    insert into events (number, digest, type, at, referral_id, intake_id, by, data)
    select {CHAIN["number"]}, {CHAIN["digest"]},
        'referral.' || step, at, new_referral_id, new_intake_id, 'Dr A. Okafor', '{{"note": "seen"}}'
    from copies cross join unnest(cast(:steps as text[])) as step
""")  # noqa: S608 - constants

REFERENCES = text("""
    select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where contype = 'f' and connamespace = 'public'::regnamespace
""")


def multiply(scene: Scene, times: int, *, completed: bool, patients: Patients = "own") -> None:
    """Copy every intake with its decision, referral and events `times` over; the copies are queued, or `completed`."""
    with scene.engine.begin() as connection, _checked_at_the_end(connection):
        connection.execute(COPIES, {"times": times})
        intake = {"id": "new_intake_id", "external_id": "'bench-' || place"}
        intake |= {"external_id_hash": "null::bytea", "external_id_sealed": "null::bytea"}
        patient = {"mrn_hash": PATIENT[patients], "patient_hash": PATIENT[patients]}
        referral = {"id": "new_referral_id", "intake_id": "new_intake_id", "acknowledge_by": "acknowledge_by + later"}
        referral |= {"reference": "new_reference()"}
        event = {"referral_id": "new_referral_id", "intake_id": "new_intake_id"} | CHAIN
        at = dict.fromkeys(TIMES, "copies.at")
        _copy(connection, Intake.__table__, "id", at | patient | intake)
        _copy(connection, Decision.__table__, "intake_id", at | {"intake_id": "new_intake_id"})
        _copy(connection, Referral.__table__, "intake_id", at | patient | referral | (COMPLETED if completed else {}))
        _copy(connection, Event.__table__, "intake_id", at | event)
        if completed:
            connection.execute(MORE_EVENTS, {"steps": list(STEPS)})
        if patients == "one":
            connection.execute(ALL_OF_ONE)
    settle(scene)


def settle(scene: Scene) -> None:
    """Do at once what the watchman and autovacuum do in their own time, so that it falls into no measurement."""
    catch_up(scene.sessions)
    with scene.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("set statement_timeout = 0"))
        connection.execute(text("vacuum analyze"))
        connection.execute(text("checkpoint"))
        connection.execute(text("reset statement_timeout"))


@contextmanager
def _checked_at_the_end(connection: Connection) -> Iterator[None]:
    """Check in one pass what refers to other rows, not row by row: half the time."""
    connection.execute(UNLIMITED)
    references = connection.execute(REFERENCES).all()
    for table, name, _ in references:
        connection.execute(text(f"alter table {table} drop constraint {name}"))
    yield
    for table, name, definition in references:
        connection.execute(text(f"alter table {table} add constraint {name} {definition}"))


def _copy(connection: Connection, table: Table, joined: str, changes: Mapping[str, str]) -> None:
    names = [column.name for column in table.columns if column.identity is None]
    values = [changes.get(name, f'{table.name}."{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    connection.execute(
        text(
            f"insert into {table.name} ({quoted}) select {', '.join(values)} "  # noqa: S608 - names from our own tables
            f"from copies join {table.name} on copies.intake_id = {table.name}.{joined} order by place"
        )
    )
