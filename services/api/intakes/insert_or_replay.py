"""Stores an intake once, however often and under whichever of its names it is posted."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from services.api.context import AppContext
from services.api.http.problems import ProblemError
from services.api.intakes.same_patient import OtherPatientError, check_patient
from shared.store import intakes
from shared.store.intakes import Earlier, NameTakenError, NewIntake, NothingToAmendError, Receipt

OTHER_PATIENT = "The record number and birth date are not those of the form that this one amends."
MAX_ROUNDS = 5  # a name can be freed while it is looked up; five times in a row it cannot


def insert_or_replay(context: AppContext, new: NewIntake, idempotency_key: str | None) -> Receipt:
    """Store `new` or find what its names stand for; raise ProblemError 409 or 422 where they contradict it.

    404 where it amends what the facility never sent, 409 where it amends the form of another patient.
    """
    begin = context.form_transactions.begin
    return insert_or_replay_in(
        context, context.storing.connect if new.amends is None else begin, begin, new, idempotency_key
    )


def insert_or_replay_in(
    context: AppContext,
    statement: Callable[[], AbstractContextManager[Connection | Session]],
    transaction: Callable[[], AbstractContextManager[Session]],
    new: NewIntake,
    idempotency_key: str | None,
) -> Receipt:
    """Do what `insert_or_replay` does, storing in `statement` and looking up in `transaction`: each is whole, or
    undone."""
    for _ in range(MAX_ROUNDS):
        try:
            with statement() as connection:
                check_patient(context, connection, new)
                return intakes.add(connection, new, idempotency_key)
        except NothingToAmendError:
            raise ProblemError(404, "There is no intake to amend.", kind="nothing-to-amend") from None
        except OtherPatientError:
            # What was stored is replayed, also after a person has corrected the identity that it was stored with.
            earlier = _find(transaction, new, idempotency_key)
            if earlier:
                return earlier
            raise ProblemError(409, OTHER_PATIENT, kind="other-patient") from None
        except NameTakenError:
            earlier = _find(transaction, new, idempotency_key)
            if earlier:
                return earlier
    raise ProblemError(
        503, "The same names are in use by other requests. Please send again.", headers={"Retry-After": "1"}
    )


def replay(
    session: Session, new: NewIntake, idempotency_key: str | None, by_key: Earlier | None, by_name: Earlier | None
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
        return earlier if intakes.remember(session, new.facility, idempotency_key, earlier.id) else None
    return earlier


def _find(
    transaction: Callable[[], AbstractContextManager[Session]], new: NewIntake, idempotency_key: str | None
) -> Earlier | None:
    with transaction() as session:
        by_key = intakes.find_by_keys(session, new.facility, [idempotency_key]).get(idempotency_key)
        by_name = intakes.find_by_names(session, new.facility, [new]).get(new.id)
        return replay(session, new, idempotency_key, by_key, by_name)


def _compare(new: NewIntake, by_key: Earlier | None, by_name: Earlier | None) -> None:
    if by_key and by_name and by_key.id != by_name.id:
        raise ProblemError(
            409,
            "The Idempotency-Key and encounter.external_id name two different intakes.",
            kind="names-differ",
            intake_ids=[by_key.id, by_name.id],
        )
    if by_key and by_key.body_hash != new.body_hash:
        raise ProblemError(
            422,
            "This Idempotency-Key came with another body before.",
            kind="idempotency-key-reused",
            intake_id=by_key.id,
        )
    if by_name and by_name.body_hash != new.body_hash:
        raise ProblemError(
            409,
            f"This encounter.external_id already names the intake {by_name.id}, which had another body.",
            kind="external-id-taken",
            intake_id=by_name.id,
        )
