"""Stores an intake once, however often and under whichever of its names it is posted."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.api.parts import Parts
from services.api.problems import ProblemError
from shared.database import Sessions
from shared.store import intakes
from shared.store.intakes import Earlier, NameTakenError, NewIntake, NothingToAmendError

MOST_ROUNDS = 5  # a name can be freed while it is looked up; five times in a row it cannot


@dataclass(frozen=True, slots=True)
class Posted:
    """The intake that a post led to: `received_at` where it is new, None where it is replayed."""

    id: UUID
    received_at: datetime | None


def post(parts: Parts, new: NewIntake, idempotency_key: str | None) -> Posted:
    """Store `new` or find what its names stand for; raise ProblemError 409 or 422 where they contradict it.

    404 where it amends what the facility never sent.
    """
    for _ in range(MOST_ROUNDS):
        try:
            with parts.statements.connect() as connection:
                return Posted(new.id, intakes.add(connection, new, idempotency_key))
        except NothingToAmendError:
            raise ProblemError(404, "There is no intake to amend.", kind="nothing-to-amend") from None
        except NameTakenError:
            posted = _find(parts.sessions, new, idempotency_key)
            if posted:
                return posted
    raise ProblemError(
        503, "The same names are in use by other requests. Please send again.", headers={"Retry-After": "1"}
    )


def _find(sessions: Sessions, new: NewIntake, idempotency_key: str | None) -> Posted | None:
    try:
        with sessions.begin() as session:
            by_key = intakes.find_by_key(session, new.facility, idempotency_key)
            by_name = intakes.find_by_name(session, new)
            earlier = by_key or by_name
            if earlier is None:
                return None
            _compare(new, by_key, by_name)
            if by_key is None and idempotency_key is not None:
                intakes.remember(session, new.facility, idempotency_key, earlier.id)
            return Posted(earlier.id, None)
    except NameTakenError:
        return None


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
