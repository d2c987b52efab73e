"""Runs of retention: which cases of a facility are old enough, not open and not held, and what was done to them.

One transaction for each case, so a run that is killed leaves every case as it was or erased, and the next goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from shared.platform.database import Sessions
from shared.store.retention.erasures import Record, erase_identity, lock_case, remove_case
from shared.tables import IS_OPEN

PAGE = 500

# A walk along the index of what is kept, oldest first; a case is as old as the last thing that happened to it.
_OLD = """
    select id, received_at from intakes
    where facility = :facility and first_version is null{kept} and received_at < now() - cast(:age as interval)
    and (received_at, id) > (cast(:received_at as timestamptz), cast(:id as uuid))
    order by received_at, id limit :limit
"""
_IDENTITIES, _CASES = text(_OLD.format(kept=" and identity_erased_at is null")), text(_OLD.format(kept=""))
_OF_PATIENT = text("""
    select distinct coalesce(first_version, id) from intakes
    where coalesce(patient_hash, mrn_hash) = any(:hashes) and facility = :facility
""")
_VERSIONS = "(select id from intakes as version where version.id = :first or version.first_version = :first)"
_LIVE = text(f"""
    select exists (select from intakes where id in {_VERSIONS} and status = 'received')
    or exists (select from referrals where intake_id in {_VERSIONS} and {IS_OPEN})
""")  # noqa: S608 - constants
_YOUNG = text(f"""
    select exists (select from intakes where id in {_VERSIONS} and received_at >= now() - cast(:age as interval))
    or exists (
        select from events where referral_id in (select id from referrals where intake_id in {_VERSIONS})
        and at >= now() - cast(:age as interval) and type <> 'referral.form_read'
    )
""")  # noqa: S608 - constants
_HELD = text("select exists (select from retention_holds where first_version = :first and released_at is null)")
_BEGIN = text("""
    insert into retention_runs (id, kind, facility, by, identity_days, case_years)
    values (:id, :kind, :facility, :by, :identity_days, :case_years)
""")
_COUNT = text("""
    update retention_runs set identities = identities + :identities, cases = cases + :cases, held = held + :held
    where id = :id
""")
_END = text("update retention_runs set ended_at = now() where id = :id")
_RUN = text("select identities, cases, held from retention_runs where id = :id")


@dataclass(frozen=True, slots=True)
class Limits:
    """After how many days without anything new identities are erased, and after how many years whole cases."""

    identity_days: int
    case_years: int


@dataclass(frozen=True, slots=True)
class Done:
    """How many cases lost their identity, were removed, and were kept for a legal hold."""

    identities: int
    cases: int
    held: int


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that was begun; `age` is None where age does not matter."""

    sessions: Sessions
    id: UUID
    dry: bool
    key: bytes = field(repr=False)

    def each(self, first: UUID, age: str | None, *, whole: bool) -> str | None:
        """Do one case; return what was counted, `identities`, `cases` or `held`, or None where it stays."""
        with self.sessions.begin() as session:
            case = lock_case(session, first) if not self.dry else None
            if session.scalar(_LIVE, {"first": first}):
                return None
            if age is not None and session.scalar(_YOUNG, {"first": first, "age": age}):
                return None
            if session.scalar(_HELD, {"first": first}):
                return self._counted(session, "held")
            if case is not None:
                (remove_case if whole else erase_identity)(session, case, Record(self.id, self.key))
            return self._counted(session, "cases" if whole else "identities")

    def _counted(self, session: Session, what: str) -> str:
        session.execute(_COUNT, {"identities": 0, "cases": 0, "held": 0, what: 1, "id": self.id})
        return what

    def end(self) -> Done:
        """Record the end; return what was done."""
        with self.sessions.begin() as session:
            session.execute(_END, {"id": self.id})
            return Done(*session.execute(_RUN, {"id": self.id}).one())


def run(sessions: Sessions, facility: str, by: str, limits: Limits, *, dry: bool, key: bytes) -> Done:
    """Remove the cases of a facility that are old enough, then erase the identities of others; `dry` only counts.

    What erasures leave of events is covered by MACs with `key`, CHAIN_KEY.
    """
    begun = _begin(sessions, facility, by, limits, "dry_run" if dry else "run", key)
    removed: set[UUID] = set()  # of a dry run, which would count them as identities, too
    years, days = f"{limits.case_years} years", f"{limits.identity_days} days"
    for first in _walk(sessions, _CASES, facility, years):
        if begun.each(first, years, whole=True) and dry:
            removed.add(first)
    for first in _walk(sessions, _IDENTITIES, facility, days):
        if first not in removed:
            begun.each(first, days, whole=False)
    return begun.end()


def erase_patient(
    sessions: Sessions, facility: str, by: str, hashes: list[bytes], *, whole: bool, key: bytes
) -> tuple[Done, list[UUID]]:
    """Erase one patient's identities and free text, or whole cases; return what was done, and the cases still open."""
    begun = _begin(sessions, facility, by, None, "patient", key)
    with sessions() as session:
        firsts = session.scalars(_OF_PATIENT, {"hashes": hashes, "facility": facility}).all()
    still_open = [first for first in firsts if begun.each(first, None, whole=whole) is None]
    return begun.end(), still_open


def _begin(sessions: Sessions, facility: str, by: str, limits: Limits | None, kind: str, key: bytes) -> _Run:
    run_id = uuid7()
    row: dict[str, Any] = {"id": run_id, "kind": kind, "facility": facility, "by": by}
    row |= {"identity_days": limits and limits.identity_days, "case_years": limits and limits.case_years}
    with sessions.begin() as session:
        session.execute(_BEGIN, row)
    return _Run(sessions, run_id, kind == "dry_run", key)


def _walk(sessions: Sessions, statement: Any, facility: str, age: str) -> Iterator[UUID]:
    place: dict[str, Any] = {"received_at": "-infinity", "id": UUID(int=0)}
    while True:
        with sessions() as session:
            rows = session.execute(statement, {"facility": facility, "age": age, "limit": PAGE, **place}).all()
        yield from (row.id for row in rows)
        if len(rows) < PAGE:
            return
        place = {"received_at": rows[-1].received_at, "id": rows[-1].id}
