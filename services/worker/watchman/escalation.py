"""Escalates referrals that nobody acknowledged in time to the next rung of the ladder; a task of the watchman."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from shared.clinical.referral.targets import Targets
from shared.platform.database import Sessions
from shared.platform.task_queues import WakeUp, delivery_wake_up
from shared.store import escalation

log = structlog.get_logger(__name__)

MAX_BATCH = 200  # rungs a round; after an outage the next round goes on


@dataclass(frozen=True, slots=True)
class Ladder:
    """`announce` must neither block nor raise."""

    sessions: Sessions
    targets: Targets
    announce: Callable[[WakeUp], None]

    def climb(self) -> None:
        """Climb the rungs that are due now, one of each referral."""
        with self.sessions.begin() as session:
            climbed, due = escalation.climb(session, self.targets, limit=MAX_BATCH)
        for delivery in due:
            self.announce(delivery_wake_up(delivery.id, delivery.queue))
        for rung in climbed:
            where = {"referral_id": str(rung.referral_id), "queue": rung.queue, "priority": rung.priority}
            log.warning("escalation.climbed", rung=rung.level, **where)
            if rung.last:
                log.error("escalation.exhausted", rung=rung.level, **where)

    def start_clocks(self) -> None:
        """See that every referral that has a ladder has a clock."""
        with self.sessions.begin() as session:
            escalation.start_clocks(session, self.targets)
