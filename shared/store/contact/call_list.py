"""Lists the cases that wait for a telephone call: open, with a time for it, and nobody has spoken to the patient."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

from sqlalchemy import Connection, text

from shared.clinical.referral.lifecycle import OPEN_STATUSES, QUEUES
from shared.platform.raw_statement import RawStatement
from shared.store.access.scope import Scope
from shared.store.referrals import StoredReferral, find_all

MAX_EXAMINED = 500  # of each queue and status, most pressing first, whether they wait for a call or not


def waiting_for_call(connection: Connection, scope: Scope, *, limit: int) -> Sequence[StoredReferral]:
    """Return what `scope` sees of the cases that wait for a call, the soonest first, at most `limit`."""
    queues = tuple(each for each in QUEUES if scope.queues is None or each in scope.queues)
    if not queues:
        return []
    statement = _statement(queues, of_facility=scope.facility is not None)
    found = statement.execute(connection, {"facility": scope.facility, "limit": limit, "most": MAX_EXAMINED})
    order = {row[0]: place for place, row in enumerate(found)}
    return sorted(find_all(connection, order.keys()), key=lambda each: order[each.id])


@lru_cache(64)
def _statement(queues: tuple[str, ...], *, of_facility: bool) -> RawStatement:
    walks = " union all ".join(
        _walk(queue, status, of_facility=of_facility) for queue, status in product(queues, OPEN_STATUSES)
    )
    return RawStatement(
        text(f"""
        select id from ({walks}) as walked where contact_by is not null and contacted_at is null
        order by contact_by, id limit (select cast(:limit as int))
    """)  # noqa: S608 - words of ours
    )


def _walk(queue: str, status: str, *, of_facility: bool) -> str:
    facility = "and facility = :facility" if of_facility else ""
    return f"""(
        select id, contact_by, contacted_at from referrals
        where queue = '{queue}' and status = '{status}' and not test {facility}
        order by priority, acknowledge_by, id limit (select cast(:most as int))
    )"""  # noqa: S608 - words of ours
