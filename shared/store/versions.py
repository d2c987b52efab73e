"""Versions of a form: stored under one lock on the first of them, so that one referral of a chain stays open.

The lock is the row of the chain's first intake. A version takes it before anything else in its transaction; the first
form takes it by being marked as triaged. So one of the two always sees the other, whichever comes first.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import PRIORITIES
from shared.clinical.referral.targets import Targets
from shared.clinical.referral.versions import Settlement, Version, escalate_at, settle
from shared.platform.raw_statement import RawStatement
from shared.store.contact.imaging_due import read_due, written_due
from shared.store.event_log.events import DueDelivery, append_events
from shared.store.triage_queue import TriageOutcome, finish
from shared.tables import Referral

QUEUED_AGAIN = {"status": "queued", "acknowledged_by": None, "acknowledged_at": None}
MORE_URGENT = "an earlier version of this form is more urgent"

# "No key": whoever only refers to the row, as a form does that amends it, need not wait.
_LOCK = text("select 1 from intakes where id = :first for no key update")
_CHAIN = text("""
    select referrals.id as referral_id, intake_id, received_at, queue, priority, referrals.status, acknowledge_by,
        clock_started_at, escalation_level, downgrade_proposed, superseded_by, counts, contact_by, imaging_due,
        contacted_by, contacted_at, contacted_outcome, contact_overdue_at
    from intakes join referrals on intake_id = intakes.id
    where intakes.id = :first or first_version = :first
    order by referrals.id
    for no key update of referrals
""")
_OVERTAKEN = RawStatement(
    text("""
    select distinct first_version from intakes where first_version = any(:intakes) and status = 'triaged'
""")
)


@dataclass(frozen=True, slots=True)
class Versions:
    """Finishes triage, with the time targets that a place in a queue depends on."""

    targets: Targets
    holidays: Collection[date] = ()

    def finish_forms(self, session: Session, outcomes: Sequence[TriageOutcome]) -> list[DueDelivery]:
        """Finish forms that amend none; return what is to be delivered.

        A form that was overtaken by a version of its own is settled with it.
        """
        due = finish(session, outcomes)
        overtaken = _OVERTAKEN.execute(session, {"intakes": [outcome.intake.id for outcome in outcomes]})
        for first in sorted(first for (first,) in overtaken):
            chain = locked_chain(session, first)
            settled = settle(chain, self.targets, self.holidays)
            if settled:
                due += supersede(session, settled) + self._move(session, settled.survivor, chain)
        return due

    def finish_version(self, session: Session, outcome: TriageOutcome) -> tuple[TriageOutcome, list[DueDelivery]]:
        """Finish one form that amends another, in a transaction of its own; return also where it came to stand."""
        assert outcome.intake.first_version  # noqa: S101 - that makes it a version
        chain = locked_chain(session, outcome.intake.first_version)
        if any(each.intake_id == outcome.intake.id for each in chain):
            return outcome, []
        own = version_of(outcome)
        settled = settle([*chain, own], self.targets, self.holidays)
        if settled is None:
            return outcome, finish(session, [outcome])
        if settled.survivor.referral_id != own.referral_id:
            due = finish(session, [outcome]) + supersede(session, settled)
            return outcome, due + self._move(session, settled.survivor, chain)
        outcome = self.placed(outcome, settled)
        return outcome, finish(session, [outcome]) + supersede(session, settled)

    def placed(self, outcome: TriageOutcome, settled: Settlement) -> TriageOutcome:
        """Return an outcome as it stands after the settlement, of which it is the survivor."""
        return replace(
            outcome,
            priority=settled.survivor.priority,
            supersedes=tuple(each.referral_id for each in settled.superseded),
            **self._place_of(settled.survivor),
        )

    def _place_of(self, survivor: Version) -> dict[str, Any]:
        """Return the queue and the clocks of a survivor, by the names that an outcome and a referral's row share."""
        return {
            "queue": survivor.queue,
            "acknowledge_by": survivor.acknowledge_by,
            "clock_started_at": survivor.clock_started_at,
            "escalation_level": survivor.escalation_level,
            "escalate_at": escalate_at(survivor, self.targets),
            "downgrade_proposed": survivor.downgrade_proposed,
            "contact_by": survivor.contact_by,
            "imaging_due": written_due(survivor.imaging_due),
            "contacted_by": survivor.contacted_by,
            "contacted_at": survivor.contacted_at,
            "contacted_outcome": survivor.contacted_outcome,
            "contact_overdue_at": survivor.contact_overdue_at,
        }

    def _move(self, session: Session, survivor: Version, chain: Sequence[Version]) -> list[DueDelivery]:
        """Write down how the one that was in its queue already stands now."""
        (before,) = (each for each in chain if each.referral_id == survivor.referral_id)
        _change(
            session,
            [survivor],
            priority=survivor.rank,
            **self._place_of(survivor),
            **({} if survivor.status == before.status else QUEUED_AGAIN),
        )
        if (survivor.queue, survivor.priority) == (before.queue, before.priority):
            return []
        data = {"from": before.queue, "to": survivor.queue, "priority": survivor.priority, "reason": MORE_URGENT}
        return append_events(session, [{"type": "referral.rerouted", "data": data, **_names(survivor)}])


def locked_chain(session: Session, first: UUID) -> list[Version]:
    """Lock the chain and return its referrals as they stand."""
    session.execute(_LOCK, {"first": first})
    found = session.execute(_CHAIN, {"first": first}).mappings()
    return [
        Version(**{**row, "priority": PRIORITIES[row["priority"]], "imaging_due": read_due(row["imaging_due"])})
        for row in found
    ]


def version_of(outcome: TriageOutcome) -> Version:
    """Return the version that its own form alone makes of an outcome."""
    return Version(
        referral_id=outcome.referral_id,
        intake_id=outcome.intake.id,
        received_at=outcome.intake.received_at,
        queue=outcome.queue,
        priority=outcome.priority,
        status="queued",
        acknowledge_by=outcome.acknowledge_by,
        clock_started_at=outcome.clock_started_at,
        contact_by=outcome.contact_by,
        imaging_due=read_due(outcome.imaging_due),
    )


def supersede(session: Session, settled: Settlement) -> list[DueDelivery]:
    """Close what the survivor supersedes; return what is to be delivered of it."""
    survivor = settled.survivor.referral_id
    _change(session, settled.superseded, status="superseded", superseded_by=survivor)
    happened = {"type": "referral.superseded", "data": {"superseded_by": str(survivor)}}
    return append_events(session, [{**happened, **_names(each)} for each in settled.superseded])


def _change(session: Session, versions: Sequence[Version], **values: Any) -> None:
    session.execute(
        update(Referral)
        .where(Referral.id.in_([each.referral_id for each in versions]))
        .values(version=Referral.version + 1, **values)
        .execution_options(synchronize_session=False)
    )


def _names(version: Version) -> dict[str, UUID]:
    return {"referral_id": version.referral_id, "intake_id": version.intake_id}
