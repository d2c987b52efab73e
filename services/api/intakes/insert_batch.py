"""Stores a batch in one transaction: what is new by one statement, the rest as single posts would find it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from services.api.context import AppContext
from services.api.http.problems import ProblemError
from services.api.intakes.insert_or_replay import insert_or_replay_in, replay
from shared.store import intakes
from shared.store.insert_batch import NamedIntake, add_all
from shared.store.intakes import Earlier, NameTakenError, Receipt


def insert_all(context: AppContext, lines: Sequence[NamedIntake]) -> dict[UUID, Receipt | ProblemError]:
    """Return what came of each line, by the id of its new intake, as if the lines were posted one after the other.

    A line that is refused has a ProblemError; the others are stored, all of them or, where this raises, none.
    """
    with context.form_transactions.begin() as session:
        added = _add(session, _first_of_their_names(lines))
        others = [line for line in lines if line.new.id not in added]
        return {**added, **_settle(context, session, others)}


def _first_of_their_names(lines: Sequence[NamedIntake]) -> list[NamedIntake]:
    """Leave out who shares a name with a line before, and who amends: what they lead to depends on what is stored."""
    taken: set[tuple[str, str]] = set()
    first = []
    for line in lines:
        names = {("key", line.idempotency_key), ("external id", line.new.external_id)}
        own = {(kind, name) for kind, name in names if name is not None}
        if line.new.amends is None and taken.isdisjoint(own):
            first.append(line)
        taken |= own
    return first


def _add(session: Session, lines: Sequence[NamedIntake]) -> dict[UUID, Receipt]:
    """Store the lines whose names are free. Where others take names right now, each half goes on without the other."""
    if not lines:
        return {}
    try:
        with session.begin_nested():
            return add_all(session, lines)
    except NameTakenError:
        middle = len(lines) // 2
        return {**_add(session, lines[:middle]), **_add(session, lines[middle:])} if middle else {}


def _settle(context: AppContext, session: Session, lines: Sequence[NamedIntake]) -> dict[UUID, Receipt | ProblemError]:
    """Find what the lines stand for that are not new; store the few that are new all the same, each for itself."""
    if not lines:
        return {}
    facility = lines[0].new.facility
    by_key = intakes.find_by_keys(session, facility, [line.idempotency_key for line in lines])
    by_name = intakes.find_by_names(session, facility, [line.new for line in lines])
    return {
        line.new.id: _settle_one(context, session, line, by_key.get(line.idempotency_key), by_name.get(line.new.id))
        for line in lines
    }


def _settle_one(
    context: AppContext, session: Session, line: NamedIntake, by_key: Earlier | None, by_name: Earlier | None
) -> Receipt | ProblemError:
    nested = partial(_nested, session)
    try:
        earlier = replay(session, line.new, line.idempotency_key, by_key, by_name)
        return earlier or insert_or_replay_in(context, nested, nested, line.new, line.idempotency_key)
    except ProblemError as problem:
        if problem.status >= 500:  # time heals it, so nobody is told what may not stay so
            raise
        return problem


@contextmanager
def _nested(session: Session) -> Iterator[Session]:
    with session.begin_nested():
        yield session
