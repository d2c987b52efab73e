"""Has whoever is next on the ladder called, where nobody has acknowledged in time; a duty of the watchman."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from shared.clinical.targets import Targets
from shared.database import Sessions
from shared.store import escalation
from shared.task_queues import Hint, delivery_hint

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 200  # rungs a round; after an outage the next round goes on


@dataclass(frozen=True, slots=True)
class Ladder:
    """`announce` must neither block nor raise."""

    sessions: Sessions
    targets: Targets
    announce: Callable[[Hint], None]

    def climb(self) -> None:
        """Climb the rungs that are due now, one of each referral."""
        with self.sessions.begin() as session:
            climbed, due = escalation.climb(session, self.targets, limit=MOST_AT_ONCE)
        for delivery in due:
            self.announce(delivery_hint(delivery.id, delivery.queue))
        for rung in climbed:
            where = {"referral_id": str(rung.referral_id), "queue": rung.queue, "priority": rung.priority}
            log.warning("escalation.climbed", rung=rung.level, **where)
            if rung.last:
                log.error("escalation.exhausted", rung=rung.level, **where)

    def start_clocks(self) -> None:
        """See that every referral that has a ladder has a clock."""
        with self.sessions.begin() as session:
            escalation.start_clocks(session, self.targets)
