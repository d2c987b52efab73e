"""Stores versions of a form under one lock on the first of them, so that one referral of a chain stays open.

The lock is the row of the chain's first intake. A version takes it before anything else in its transaction; the first
form takes it by being marked as triaged. So one of the two always sees the other, whichever comes first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import PRIORITIES
from shared.clinical.referral.targets import Targets
from shared.clinical.referral.versions import Settlement, Version, escalate_at, settle
from shared.platform.raw_statement import RawStatement
from shared.store.chain_locks import lock_referrals
from shared.store.contact.imaging_due import read_due, written_due
from shared.store.event_log.events import DueDelivery, append_events
from shared.store.triage_queue import TriageOutcome, finish
from shared.tables import Referral

QUEUED_AGAIN = {"status": "queued", "acknowledged_by": None, "acknowledged_at": None}
MORE_URGENT = "an earlier version of this form is more urgent"

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
class Changes:
    """All that is to be stored of one chain: a new outcome, what it supersedes, and how the survivor's row changes."""

    outcome: TriageOutcome | None = None
    superseded: Sequence[Version] = ()
    survivor: Version | None = None
    survivor_before: Version | None = None  # None where the survivor is the new outcome itself
    place: Mapping[str, Any] = field(default_factory=dict)  # the survivor's queue and clocks, by column


@dataclass(frozen=True, slots=True)
class Versions:
    """Finishes triage. Of each chain it reads and locks the rows, plans all changes, then stores them.

    `targets` and `holidays` decide the clocks of a referral.
    """

    targets: Targets
    holidays: Collection[date] = ()

    def finish_forms(self, session: Session, outcomes: Sequence[TriageOutcome]) -> list[DueDelivery]:
        """Finish forms that amend none; return what is to be delivered.

        A form that was overtaken by a version of its own is settled with it.
        """
        due = finish(session, outcomes)
        overtaken = _OVERTAKEN.execute(session, {"intakes": [outcome.intake.id for outcome in outcomes]})
        for first in sorted(first for (first,) in overtaken):
            due += _store(session, self.plan(locked_chain(session, first)))
        return due

    def finish_version(self, session: Session, outcome: TriageOutcome) -> tuple[TriageOutcome, list[DueDelivery]]:
        """Finish one form that amends another, in a transaction of its own; return also the outcome as stored."""
        assert outcome.intake.first_version  # noqa: S101 - that makes it a version
        changes = self.plan(locked_chain(session, outcome.intake.first_version), outcome)
        return changes.outcome or outcome, _store(session, changes)

    def plan(self, chain: Sequence[Version], outcome: TriageOutcome | None = None) -> Changes:
        """Return what is to be stored of a chain as its rows are, with the outcome of one more form; reads nothing."""
        if outcome and any(each.intake_id == outcome.intake.id for each in chain):
            return Changes()  # it was finished before
        settled = settle([*chain, version_of(outcome)] if outcome else chain, self.targets, self.holidays)
        if settled is None:
            return Changes(outcome)
        survivor = settled.survivor
        place = self._place_of(survivor)
        if outcome and survivor.referral_id == outcome.referral_id:
            outcome = self.placed(outcome, settled)
        before = next((each for each in chain if each.referral_id == survivor.referral_id), None)
        return Changes(outcome, settled.superseded, survivor, before, place)

    def placed(self, outcome: TriageOutcome, settled: Settlement) -> TriageOutcome:
        """Return an outcome as it stands after the settlement, of which it is the survivor."""
        superseded = tuple(each.referral_id for each in settled.superseded)
        place = self._place_of(settled.survivor)
        return replace(outcome, priority=settled.survivor.priority, supersedes=superseded, **place)

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


def _store(session: Session, changes: Changes) -> list[DueDelivery]:
    """Store what was planned and return what is to be delivered; the chain is still locked."""
    due = finish(session, [changes.outcome]) if changes.outcome else []
    if changes.survivor is None:
        return due
    due += supersede(session, changes.superseded, changes.survivor.referral_id)
    if changes.survivor_before is not None:
        due += _move(session, changes.survivor_before, changes.survivor, changes.place)
    return due


def _move(session: Session, before: Version, survivor: Version, place: Mapping[str, Any]) -> list[DueDelivery]:
    """Update the row of a survivor that was in a queue before; say so in an event where its place changed."""
    queued_again = {} if survivor.status == before.status else QUEUED_AGAIN
    _change(session, [survivor], priority=survivor.rank, **place, **queued_again)
    if (survivor.queue, survivor.priority) == (before.queue, before.priority):
        return []
    data = {"from": before.queue, "to": survivor.queue, "priority": survivor.priority, "reason": MORE_URGENT}
    return append_events(session, [{"type": "referral.rerouted", "data": data, **_names(survivor)}])


def locked_chain(session: Session, first: UUID) -> list[Version]:
    """Lock the chain and return its referrals as they stand."""
    lock_referrals(session, first)
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


def supersede(
    session: Session, superseded: Sequence[Version], survivor: UUID, *, actor: Mapping[str, Any] | None = None
) -> list[DueDelivery]:
    """Close versions in favour of the survivor; return what is to be delivered of it.

    `actor` is who caused it in a request; None where triage did.
    """
    _change(session, superseded, status="superseded", superseded_by=survivor)
    event = {"type": "referral.superseded", "data": {"superseded_by": str(survivor)}, "actor": actor and dict(actor)}
    return append_events(session, [{**event, **_names(each)} for each in superseded])


def _change(session: Session, versions: Sequence[Version], **values: Any) -> None:
    session.execute(
        update(Referral)
        .where(Referral.id.in_([each.referral_id for each in versions]))
        .values(version=Referral.version + 1, **values)
        .execution_options(synchronize_session=False)
    )


def _names(version: Version) -> dict[str, UUID]:
    return {"referral_id": version.referral_id, "intake_id": version.intake_id}
