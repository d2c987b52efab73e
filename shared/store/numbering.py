"""Numbers rows of a table after their commit, without gaps, each with a digest of itself and of the one before it.

Numbers are given under one advisory lock, so a reader that has seen number n will never see a smaller one appear: they
follow the order in which rows became visible. A change of what was numbered shows in the digests.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from psycopg.errors import LockNotAvailable, QueryCanceled
from sqlalchemy import TextClause, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared.platform.database import Sessions

log = structlog.get_logger(__name__)

LOCK_SECONDS = 0.5  # numbering takes milliseconds; who waits longer stands behind a process that is frozen


@dataclass(frozen=True, slots=True)
class Head:
    """The last numbered row: kept outside the database, it shows later that nothing before it was changed."""

    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"


NOTHING = Head(0, bytes(32))  # what stands before the first row


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the rows of one table are numbered, at most `batch` in a transaction, `rounds` times in a row.

    `lock` is the advisory lock. Of the statements, `any_unnumbered` returns a boolean, `last` number and digest,
    `unnumbered` the oldest rows as id and content, and `number` stores :ids, :numbers and :digests. `digest` takes the
    digest before, the number and the content. `failed` is what is logged where the lock is not to be had.
    """

    failed: str
    lock: int
    batch: int
    rounds: int
    any_unnumbered: TextClause
    last: TextClause
    unnumbered: TextClause
    number: TextClause
    digest: Callable[..., bytes]

    def catch_up(self, sessions: Sessions) -> None:
        """Number what was committed until now, in transactions of its own.

        Where that takes too long, because a frozen process holds the lock, the caller goes on with the rows as they
        are: what has no number yet gets it later, and nobody reads past it. Raises whatever else the database says.
        """
        try:
            for _ in range(self.rounds):
                with sessions.begin() as session:
                    if self.number_batch(session) < self.batch:
                        break
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable | QueryCanceled):
                raise
            log.warning(self.failed, error=type(error.orig).__name__)

    def number_batch(self, session: Session) -> int:
        """Give the oldest rows without a number theirs, at most `batch`; return how many there were."""
        if not session.scalar(self.any_unnumbered):
            return 0
        session.execute(text("select set_config('lock_timeout', :limit, true)"), {"limit": f"{LOCK_SECONDS}s"})
        session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": self.lock})
        last = self.head(session)
        found = session.execute(self.unnumbered).all()
        digests = [last.digest]
        numbers = range(last.number + 1, last.number + 1 + len(found))
        for place, row in zip(numbers, found, strict=True):
            digests.append(self.digest(digests[-1], place, *row[1:]))
        session.execute(
            self.number, {"ids": [row.id for row in found], "numbers": list(numbers), "digests": digests[1:]}
        )
        return len(found)

    def head(self, session: Session) -> Head:
        """Return number and digest of the last numbered row; NOTHING where there is none."""
        row = session.execute(self.last).one_or_none()
        return Head(*row) if row else NOTHING
