"""Stores an intake once, however often and under whichever of its names it is posted; singly or as a batch."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from services.api.context import AppContext
from services.api.http.problems import ProblemError
from services.api.intakes.same_patient import OtherPatientError, check_patient
from shared.store import intakes
from shared.store.insert_batch import NamedIntake, add_all
from shared.store.intakes import Earlier, NameTakenError, NewIntake, NothingToAmendError, Receipt
from shared.store.names.idempotency_keys import StoredKey, remember

OTHER_PATIENT = "The record number and birth date are not those of the form that this one amends."
MAX_ROUNDS = 5  # a name can be freed while it is looked up; five times in a row it cannot


def insert_or_replay(context: AppContext, new: NewIntake, idempotency_key: StoredKey | None) -> Receipt:
    """Store `new` or find what its names stand for; raise ProblemError 409 or 422 where they contradict it.

    404 where it amends what the facility never sent, 409 where it amends the form of another patient.
    """
    # A form that amends none is one statement: without a transaction around it, it is one round trip in place of three.
    connect = context.storing.connect if new.amends is None else context.form_transactions.begin
    try:
        with connect() as connection:
            return _insert(context, connection, new, idempotency_key)
    except (NameTakenError, OtherPatientError):
        with context.form_transactions.begin() as session:
            return _replay_or_insert(context, session, new, idempotency_key)


def insert_all(context: AppContext, lines: Sequence[NamedIntake]) -> dict[UUID, Receipt | ProblemError]:
    """Return what came of each line, by the id of its new intake, as if the lines were posted one after the other.

    What is new is stored by one statement. A line that is refused has a ProblemError; the others are stored, all of
    them or, where this raises, none.
    """
    with context.form_transactions.begin() as session:
        added = _insert_new(session, _first_of_their_names(lines))
        others = [line for line in lines if line.new.id not in added]
        return {**added, **_replay_or_insert_all(context, session, others)}


def _insert(
    context: AppContext, connection: Connection | Session, new: NewIntake, idempotency_key: StoredKey | None
) -> Receipt:
    try:
        check_patient(context, connection, new)
        return intakes.add(connection, new, idempotency_key)
    except NothingToAmendError:
        raise ProblemError(404, "There is no intake to amend.", kind="nothing-to-amend") from None


def _replay_or_insert(
    context: AppContext, session: Session, new: NewIntake, idempotency_key: StoredKey | None
) -> Receipt:
    """Return the intake that the names of `new` stand for, or store it, within the transaction of `session`.

    What was stored is replayed also after a person has corrected the identity that it was stored with.
    """
    for _ in range(MAX_ROUNDS):
        by_key = intakes.find_by_keys(session, new.facility, [idempotency_key]).get(idempotency_key)
        by_name = intakes.find_by_names(session, new.facility, [new]).get(new.id)
        earlier = _replay(session, new, idempotency_key, by_key, by_name)
        if earlier:
            return earlier
        try:
            with session.begin_nested():
                return _insert(context, session, new, idempotency_key)
        except NameTakenError:
            continue
        except OtherPatientError:
            raise ProblemError(409, OTHER_PATIENT, kind="other-patient") from None
    raise ProblemError(
        503, "The same names are in use by other requests. Please send again.", headers={"Retry-After": "1"}
    )


def _first_of_their_names(lines: Sequence[NamedIntake]) -> list[NamedIntake]:
    """Leave out lines that share a name with an earlier line or that amend: their outcome depends on what is stored."""
    taken: set[tuple[str, str | StoredKey]] = set()
    first = []
    for line in lines:
        names = {("key", line.idempotency_key), ("external id", line.new.sent.external_id)}
        own = {(kind, name) for kind, name in names if name is not None}
        if line.new.amends is None and taken.isdisjoint(own):
            first.append(line)
        taken |= own
    return first


def _insert_new(session: Session, lines: Sequence[NamedIntake]) -> dict[UUID, Receipt]:
    """Store the lines whose names are free. Where another request takes a name meanwhile, try each half on its own."""
    if not lines:
        return {}
    try:
        with session.begin_nested():
            return add_all(session, lines)
    except NameTakenError:
        middle = len(lines) // 2
        return {**_insert_new(session, lines[:middle]), **_insert_new(session, lines[middle:])} if middle else {}


def _replay_or_insert_all(
    context: AppContext, session: Session, lines: Sequence[NamedIntake]
) -> dict[UUID, Receipt | ProblemError]:
    """Replay the lines whose names are known, and store those that are new all the same one by one."""
    if not lines:
        return {}
    facility = lines[0].new.facility
    by_key = intakes.find_by_keys(session, facility, [line.idempotency_key for line in lines])
    by_name = intakes.find_by_names(session, facility, [line.new for line in lines])
    return {
        line.new.id: _replay_or_insert_one(
            context, session, line, by_key.get(line.idempotency_key), by_name.get(line.new.id)
        )
        for line in lines
    }


def _replay_or_insert_one(
    context: AppContext, session: Session, line: NamedIntake, by_key: Earlier | None, by_name: Earlier | None
) -> Receipt | ProblemError:
    try:
        earlier = _replay(session, line.new, line.idempotency_key, by_key, by_name)
        return earlier or _replay_or_insert(context, session, line.new, line.idempotency_key)
    except ProblemError as problem:
        if problem.status >= 500:  # temporary: the whole batch is retried, so no line is answered with it
            raise
        return problem


def _replay(
    session: Session, new: NewIntake, idempotency_key: StoredKey | None, by_key: Earlier | None, by_name: Earlier | None
) -> Earlier | None:
    """Return the intake that the names of `new` were found to stand for, which both of them name from now on.

    None where they stand for none, or the key was taken meanwhile; raises ProblemError 409 or 422 where they
    contradict it.
    """
    earlier = by_key or by_name
    if earlier is None:
        return None
    _compare(new, by_key, by_name)
    if by_key is None and idempotency_key is not None:
        return earlier if remember(session, new.facility, idempotency_key, earlier.id) else None
    return earlier


def _compare(new: NewIntake, by_key: Earlier | None, by_name: Earlier | None) -> None:
    if by_key and by_name and by_key.id != by_name.id:
        raise ProblemError(
            409,
            "The Idempotency-Key and encounter.external_id name two different intakes.",
            kind="names-differ",
            intake_ids=[by_key.id, by_name.id],
        )
    if by_key and not new.has_body_of(by_key):
        raise ProblemError(
            422,
            "This Idempotency-Key came with another body before.",
            kind="idempotency-key-reused",
            intake_id=by_key.id,
        )
    if by_name and not new.has_body_of(by_name):
        raise ProblemError(
            409,
            f"This encounter.external_id already names the intake {by_name.id}, which had another body.",
            kind="external-id-taken",
            intake_id=by_name.id,
        )
