"""One case, several forms: whose referral stays open, in which queue, how pressing, and since when its clock runs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from shared.clinical.referral.lifecycle import (
    OPEN_STATUSES,
    PRIORITIES,
    Priority,
    Queue,
    Status,
    acknowledge_by,
    next_escalation,
)
from shared.clinical.referral.targets import Targets, earlier, kept_due


@dataclass(frozen=True, slots=True)
class Version:
    """The referral of one version of a form; `downgrade_proposed` says that its place is an earlier version's.

    One that does not count was overruled: a person has confirmed a lower place of a newer one.
    """

    referral_id: UUID
    intake_id: UUID
    received_at: datetime
    queue: Queue
    priority: Priority
    status: Status
    acknowledge_by: datetime
    clock_started_at: datetime
    escalation_level: int = 0
    downgrade_proposed: bool = False
    superseded_by: UUID | None = None
    counts: bool = True
    contact_by: datetime | None = None
    imaging_due: Mapping[str, datetime | None] = field(default_factory=dict)
    contacted_by: str | None = None
    contacted_at: datetime | None = None
    contacted_outcome: str | None = None
    contact_overdue_at: datetime | None = None

    @property
    def age(self) -> tuple[datetime, UUID]:
        """By what versions are ordered, the oldest first."""
        return self.received_at, self.intake_id

    @property
    def rank(self) -> int:
        """How pressing it is: 0 is an emergency."""
        return PRIORITIES.index(self.priority)

    @property
    def is_open(self) -> bool:
        """Say whether it is in no end state."""
        return self.status in OPEN_STATUSES


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a chain: the one that stays open, as it should stand now, and those that it supersedes."""

    survivor: Version
    superseded: Sequence[Version]


def settle(versions: Collection[Version], targets: Targets, holidays: Collection[date] = ()) -> Settlement | None:
    """Return what becomes of the versions of one form; None where at most one is open, so that nothing changes.

    The newest open one survives and never ranks lower than one it supersedes: it keeps the place of the most urgent
    (of equals, the newest that stands where its own form put it). What a person closed stays closed and counts no more.
    The order in which versions arrive changes nothing.
    """
    opened = sorted((each for each in versions if each.is_open), key=lambda each: each.age)
    if len(opened) < 2:
        return None
    *superseded, newest = opened
    source = max(_counting(versions), key=lambda each: (-each.rank, not each.downgrade_proposed, each.age))
    raised = source.rank < newest.rank
    if newest.status == "acknowledged" and not raised:
        return Settlement(newest, superseded)  # a person has it
    survivor = replace(newest, queue=source.queue)
    if raised:
        survivor = replace(
            survivor,
            priority=source.priority,
            status="queued",
            acknowledge_by=acknowledge_by(source.priority, newest.received_at, targets, holidays=holidays),
            clock_started_at=newest.received_at,
            escalation_level=0,
            downgrade_proposed=True,
        )
    survivor = _with_running_clocks(survivor, superseded)
    if survivor.downgrade_proposed:
        survivor = _with_earlier_times(survivor, superseded)
    return Settlement(survivor, superseded)


def escalate_at(version: Version, targets: Targets) -> datetime | None:
    """Return when its next rung is due, for as long as nobody acknowledges; None above the highest."""
    rung = next_escalation(version.priority, version.clock_started_at, targets, level=version.escalation_level)
    return rung.due if rung else None


def _counting(versions: Collection[Version]) -> list[Version]:
    """Leave out what a person closed and what was superseded by it, whose case has ended, and what was overruled."""
    by_id = {each.referral_id: each for each in versions}

    def ends_open(version: Version) -> bool:
        for _ in versions:  # no longer than the chain, whatever the rows say
            if version.superseded_by is not None:
                version = by_id[version.superseded_by]
        return version.is_open

    return [each for each in versions if each.counts and ends_open(each)]


def _with_running_clocks(survivor: Version, superseded: Sequence[Version]) -> Version:
    """Let a clock that nobody had stopped at this priority run on: an amendment is no new start."""
    running = [each for each in superseded if each.status == "queued" and each.priority == survivor.priority]
    all_of_them = [survivor, *running]
    return replace(
        survivor,
        acknowledge_by=min(each.acknowledge_by for each in all_of_them),
        clock_started_at=min(each.clock_started_at for each in all_of_them),
        escalation_level=max(each.escalation_level for each in all_of_them),
    )


def _with_earlier_times(survivor: Version, superseded: Sequence[Version]) -> Version:
    """Let one that keeps an earlier version's place keep its times too, and with its contact whoever made it.

    `acknowledge_by` also where that version was acknowledged: the times are earlier ones, never later.
    """
    for each in superseded:
        if each.priority == survivor.priority:
            survivor = replace(survivor, acknowledge_by=min(survivor.acknowledge_by, each.acknowledge_by))
        if earlier(survivor.contact_by, each.contact_by) != survivor.contact_by:
            survivor = replace(survivor, contact_by=each.contact_by, contact_overdue_at=each.contact_overdue_at)
        if survivor.contacted_at is None and each.contacted_at is not None:
            survivor = replace(
                survivor,
                contacted_by=each.contacted_by,
                contacted_at=each.contacted_at,
                contacted_outcome=each.contacted_outcome,
            )
        survivor = replace(survivor, imaging_due=kept_due(survivor.imaging_due, each.imaging_due))
    return survivor
