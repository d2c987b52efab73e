"""Finding referrals: a list over all queues by what they are, and by what a person knows of them.

Every list is a walk along indexes that have its order: one for each queue and status, merged, which gives its first
rows when it has read as many. What no index knows is tried row by row, at most MAX_EXAMINED for a page: a page may be
short, and `next` then goes on.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from itertools import product

from sqlalchemy import Connection, text

from shared.clinical.referral.lifecycle import OPEN_STATUSES, PRIORITIES, QUEUES, STATUSES
from shared.platform.raw_statement import RawStatement
from shared.store.access.facilities import TEST
from shared.store.lists.worklist import WorklistPosition
from shared.store.referrals import StoredReferral, find_all

MAX_EXAMINED = 1000
KINDS_OF_LIST = 200  # of which the statements are kept


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; None stands for everything. `queues` are those of a key, of which `queue` may be one."""

    facility: str | None = None
    queues: Sequence[str] | None = None
    queue: str | None = None
    status: str = "open"
    priority: str | None = None
    overdue: bool | None = None
    contact_overdue: bool | None = None
    acknowledged_by: str | None = None
    since: datetime | None = None
    test: bool = False

    @property
    def statuses(self) -> tuple[str, ...]:
        """Return the statuses in which there can be what is asked for."""
        named: tuple[str, ...] = {"open": OPEN_STATUSES, "all": STATUSES}.get(self.status, (self.status,))
        named = tuple(each for each in named if not self.contact_overdue or each in OPEN_STATUSES)
        return tuple(each for each in named if not self.overdue or each == "queued")

    @property
    def places(self) -> tuple[str, ...]:
        """Return the queues in which there can be what is asked for."""
        seen = (each for each in QUEUES if self.queues is None or each in self.queues)
        return tuple(each for each in seen if self.queue in (None, each))

    @property
    def priorities(self) -> tuple[int | None, ...]:
        """Return the priorities that need a walk each; a single None where one walk has all of them in order."""
        if self.priority is not None:
            return (PRIORITIES.index(self.priority),)
        return (None,) if self.overdue is None else tuple(range(len(PRIORITIES)))

    @property
    def tried_row_by_row(self) -> bool:
        """Say whether something is asked for that no index knows."""
        return any(each is not None for each in (self.acknowledged_by, self.since, self.contact_overdue))


@dataclass(frozen=True, slots=True)
class Found:
    """A page of referrals, and the place after which the next one begins; None on the last."""

    referrals: Sequence[StoredReferral]
    after: WorklistPosition | None


def listed(connection: Connection, wanted: Filter, *, limit: int, after: WorklistPosition | None) -> Found:
    """Return the first `limit` referrals after a position, by priority, due time and id, as in a worklist."""
    if not wanted.places or not wanted.statuses:
        return Found([], None)
    most = MAX_EXAMINED if wanted.tried_row_by_row else limit + 1
    statement = _list(
        wanted.places,
        wanted.statuses,
        wanted.priorities,
        wanted.overdue,
        of_facility=wanted.facility is not None,
        follows=after is not None,
    )
    given = {f"after_{name}": value for name, value in asdict(after).items()} if after else {}
    given |= {"facility": wanted.facility, "test": wanted.test, "most": most}
    given |= {"acknowledged_by": wanted.acknowledged_by, "since": wanted.since}
    given |= {"contact_overdue": wanted.contact_overdue}
    examined = statement.execute(connection, given).fetchall()
    matching = [WorklistPosition(*place) for *place, matches in examined if matches]
    page = matching[:limit]
    last = page[-1] if len(matching) > limit else WorklistPosition(*examined[-1][:3]) if len(examined) == most else None
    return Found(find_all(connection, [place.id for place in page]), last)


@lru_cache(KINDS_OF_LIST)
def _list(
    queues: tuple[str, ...],
    statuses: tuple[str, ...],
    priorities: tuple[int | None, ...],
    overdue: bool | None,
    *,
    of_facility: bool,
    follows: bool,
) -> RawStatement:
    walks = " union all ".join(
        _walk(queue, status, priority, overdue, of_facility=of_facility, follows=follows)
        for queue, status, priority in product(queues, statuses, priorities)
    )
    return RawStatement(
        text(f"""
        select priority, acknowledge_by, id, matches from ({walks}) as walked
        order by priority, acknowledge_by, id limit (select cast(:most as int))
    """)  # noqa: S608 - words of ours
    )


def _walk(
    queue: str, status: str, priority: int | None, overdue: bool | None, *, of_facility: bool, follows: bool
) -> str:
    where = [f"queue = '{queue}'", f"status = '{status}'"]
    if of_facility:  # all of it are of one kind, which is known before the first row is read
        kind = f"exists (select from facilities where name = :facility and kind = '{TEST}')"
        where += ["facility = :facility", f"{kind} = cast(:test as bool)"]
    else:
        where.append("test = cast(:test as bool)")
    if priority is not None:
        where.append(f"priority = {priority}")
    if overdue is not None and status == "queued":
        where.append(f"acknowledge_by {'<' if overdue else '>='} now()")
    if follows:
        place = "cast(:after_priority as smallint), cast(:after_acknowledge_by as timestamptz), cast(:after_id as uuid)"
        where.append(f"(priority, acknowledge_by, id) > ({place})")
    contact_is_overdue = "false"
    if status in OPEN_STATUSES:
        contact_is_overdue = "contacted_at is null and coalesce(contact_by < now(), false)"
    return f"""(
        select priority, acknowledge_by, id,
            (cast(:acknowledged_by as text) is null or coalesce(acknowledged_by = :acknowledged_by, false))
            and (cast(:since as timestamptz) is null or created_at >= :since)
            and (cast(:contact_overdue as bool) is null or ({contact_is_overdue}) = :contact_overdue) as matches
        from referrals where {" and ".join(where)}
        order by priority, acknowledge_by, id limit (select cast(:most as int))
    )"""  # noqa: S608 - words of ours
