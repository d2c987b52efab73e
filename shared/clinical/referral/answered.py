"""Where a referral stands after questions were asked: higher at once, lower only when a person has confirmed it."""

from dataclasses import replace

from shared.clinical.referral.targets import earlier, kept_due
from shared.clinical.referral.versions import Version


def answered(own: Version, before: Version, *, moved: bool) -> Version:
    """Return how the new version stands, of which `own` is what its form says and `before` the one that it supersedes.

    A contact that was made counts for both. Only a rise of the priority takes the referral from the person who has it.
    Unless the answers `moved` what the form alone says, it stays in the queue in which a person may have put it. No
    clock becomes longer.
    """
    version = replace(
        own,
        acknowledge_by=min(own.acknowledge_by, before.acknowledge_by),
        contact_by=earlier(own.contact_by, before.contact_by),
        contact_overdue_at=before.contact_overdue_at,
        contacted_by=before.contacted_by,
        contacted_at=before.contacted_at,
        contacted_outcome=before.contacted_outcome,
        imaging_due=kept_due(own.imaging_due, before.imaging_due),
    )
    if own.rank < before.rank:
        return version
    ranks_lower = own.rank > before.rank
    return replace(
        version,
        queue=own.queue if moved and not ranks_lower else before.queue,
        priority=before.priority,
        status=before.status,
        acknowledge_by=before.acknowledge_by,
        clock_started_at=before.clock_started_at,
        escalation_level=before.escalation_level,
        downgrade_proposed=ranks_lower,
    )
