"""Records the heartbeats of processes, by the database's clock."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.tables import Heartbeat

FRESH = timedelta(seconds=25)  # a process that has not said so for longer has stopped, or hangs
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RoleHeartbeat:
    """The processes of one role: how many are at work, and how many seconds ago the latest of them said so."""

    at_work: int
    age_seconds: float


def record_heartbeat(session: Session, process: str, role: str, version: str) -> None:
    """Say that `process` is at work now."""
    said = insert(Heartbeat).values(process=process, role=role, version=version)
    session.execute(
        said.on_conflict_do_update(
            index_elements=[Heartbeat.process], set_={"beat_at": func.now(), "role": role, "version": version}
        )
    )


def role_heartbeats(session: Session) -> dict[str, RoleHeartbeat]:
    """Return what is known of each role that has had a process in the last day."""
    age = func.extract("epoch", func.now() - func.max(Heartbeat.beat_at))
    at_work = func.count().filter(Heartbeat.beat_at > func.now() - FRESH)
    found = session.execute(select(Heartbeat.role, at_work, age).group_by(Heartbeat.role))
    return {role: RoleHeartbeat(count, float(seconds)) for role, count, seconds in found}


def delete_old_heartbeats(session: Session) -> int:
    """Remove processes that have said nothing for a day; return how many."""
    forgotten = session.execute(
        delete(Heartbeat).where(Heartbeat.beat_at < func.now() - KEPT).returning(Heartbeat.process)
    )
    return len(forgotten.all())
