"""A facility's own intakes, the newest first, a page at a time: a walk along an index for each status, merged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import Connection, text

from shared.platform.raw_statement import RawStatement
from shared.store.intakes import StoredIntake, find_all
from shared.store.names.external_ids import external_id_hashes
from shared.tables import INTAKE_STATUSES


@dataclass(frozen=True, slots=True)
class IntakeFilter:
    """What is asked for; None stands for everything."""

    external_id: str | None = None
    status: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class IntakePosition:
    """A place in the list: after the intake that has these."""

    received_at: datetime
    id: UUID


def intakes_of(
    connection: Connection,
    facility: str,
    wanted: IntakeFilter,
    *,
    lookup_keys: Sequence[bytes],
    limit: int,
    after: IntakePosition | None,
) -> list[StoredIntake]:
    """Return the newest `limit` intakes of the facility after a position.

    An external id is found by its hashes with `lookup_keys`, which are LOOKUP_KEY and the one before.
    """
    statement = _list(
        wanted.status,
        named=wanted.external_id is not None,
        since=wanted.since is not None,
        follows=after is not None,
    )
    given = {"facility": facility, "limit": limit, "external_id": wanted.external_id, "since": wanted.since}
    given["hashes"] = external_id_hashes(lookup_keys, facility, wanted.external_id or "")
    place = {"after_received_at": after.received_at, "after_id": after.id} if after else {}
    ids: Sequence[UUID] = [row[0] for row in statement.execute(connection, {**given, **place})]
    found = find_all(connection, ids)
    return [found[each] for each in ids]


# One intake, by a step into each of two indexes.
_NAMED = """(
    select * from intakes where facility = :facility and external_id = :external_id
    union all
    select * from intakes
    where facility = :facility and external_id_hash = any(cast(:hashes as bytea[])) and external_id is null
) as named"""


@cache
def _list(status: str | None, *, named: bool, since: bool, follows: bool) -> RawStatement:
    conditions = ["facility = :facility"]
    if since:
        conditions.append("received_at >= cast(:since as timestamptz)")
    if follows:
        conditions.append("(received_at, id) < (cast(:after_received_at as timestamptz), cast(:after_id as uuid))")
    walks = " union all ".join(
        f"""(
            select id, received_at from {_NAMED if named else "intakes"}
            where status = '{each}' and {" and ".join(conditions)}
            order by received_at desc, id desc limit (select cast(:limit as int))
        )"""  # noqa: S608 - words of ours
        for each in ((status,) if status else INTAKE_STATUSES)
    )
    return RawStatement(
        text(f"""
        select id from ({walks}) as walked order by received_at desc, id desc limit (select cast(:limit as int))
    """)  # noqa: S608 - words of ours
    )
