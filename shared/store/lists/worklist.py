"""Queries of worklists: a page of a queue, most pressing first, and the referrals whose triage failed."""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    bindparam,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import OPEN_STATUSES, STATUSES
from shared.platform.raw_statement import RawStatement
from shared.store.access.facilities import TEST
from shared.store.access.scope import Scope
from shared.store.referrals import ORDER, REFERRAL, WHOLE, StoredReferral, shown, stored
from shared.tables import IS_FAILED, IS_OPEN, Facility


@dataclass(frozen=True, slots=True)
class WorklistPosition:
    """A place in a worklist: after the referral that has these."""

    priority: int
    acknowledge_by: datetime
    id: UUID


def worklist(
    connection: Connection | Session,
    queue: str,
    status: str,
    scope: Scope,
    *,
    limit: int,
    after: WorklistPosition | None,
    test: bool = False,
) -> list[StoredReferral]:
    """Return the first `limit` referrals of a queue after a position, by priority, due time and id.

    `status` is `open`, `all` or one status. With `test` those of test facilities, and no others.
    """
    place = {} if after is None else {f"after_{name}": value for name, value in asdict(after).items()}
    statement = _page(status, scope.kind, follows=after is not None)
    found = statement.execute(connection, {"queue": queue, "limit": limit, "test": test, **scope.values, **place})
    return [stored(row) for row in found]


def failed_triage(connection: Connection | Session, scope: Scope, *, limit: int) -> list[StoredReferral]:
    """Return open referrals that no rule has decided, most pressing first; tests for their own facility alone."""
    found = _failed(scope.kind).execute(connection, {"limit": limit, **scope.values})
    return [stored(row) for row in found]


# To build such a statement takes longer than to run it, so each is built once for all scopes of a kind.
@cache
def _page(status: str, kind: Scope, *, follows: bool) -> RawStatement:
    return RawStatement(shown(_walk(status, kind, follows=follows)))


def _walk(status: str, kind: Scope, *, follows: bool) -> Select[Any] | CompoundSelect[Any]:
    """Return the query for pages of one kind.

    Every page is a walk along an index that has its order; of several statuses the walks for each are merged.
    """
    of = [REFERRAL.queue == bindparam("queue"), *kind.referrals(), *_of_kind(kind)]
    if follows:
        place = (bindparam(f"after_{column.name}", type_=column.type) for column in ORDER)
        of.append(tuple_(*ORDER) > tuple_(*place))
    most = bindparam("limit", type_=Integer)
    walk = WHOLE.where(*of).order_by(*ORDER).limit(most)
    statuses = {"open": OPEN_STATUSES, "all": STATUSES}.get(status, (status,))
    if len(statuses) == 1:
        return walk.where(REFERRAL.status == status)
    merged = union_all(*(walk.where(REFERRAL.status == each) for each in statuses))
    return merged.order_by(*(merged.selected_columns[column.name] for column in ORDER)).limit(most)


def _of_kind(kind: Scope) -> list[ColumnElement[bool]]:
    """Return the condition that real referrals are seen, or tests.

    All of one facility are of one kind, which is known before the first is read: none has to be passed over.
    """
    test = bindparam("test", type_=Boolean)
    if kind.facility is None:
        return [REFERRAL.test == test]
    is_test = select(Facility.name).where(Facility.name == bindparam("facility"), Facility.kind == TEST).exists()
    return [is_test == test]


@cache
def _failed(kind: Scope) -> RawStatement:
    is_failed_and_open = literal_column(f"{IS_FAILED} and referrals.{IS_OPEN}", Boolean)
    seen = kind.referrals() if kind.facility is not None else [*kind.referrals(), ~REFERRAL.test]
    walk = WHOLE.where(is_failed_and_open, *seen).order_by(*ORDER).limit(bindparam("limit", type_=Integer))
    return RawStatement(shown(walk))
