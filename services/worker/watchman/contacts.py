"""Adds an event to each referral whose patient nobody has contacted in time, once; a task of the watchman."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from shared.platform.database import Sessions
from shared.platform.task_queues import WakeUp, delivery_wake_up
from shared.store.contact.overdue import mark_overdue

log = structlog.get_logger(__name__)

MAX_BATCH = 200  # a round; after an outage the next round goes on


@dataclass(frozen=True, slots=True)
class ContactWatch:
    """`announce` must neither block nor raise."""

    sessions: Sessions
    announce: Callable[[WakeUp], None]

    def look(self) -> None:
        """Add the event of each contact that is overdue now and has none."""
        with self.sessions.begin() as session:
            overdue, due = mark_overdue(session, limit=MAX_BATCH)
        for delivery in due:
            self.announce(delivery_wake_up(delivery.id, delivery.queue))
        for each in overdue:
            where = {"referral_id": str(each.referral_id), "queue": each.queue, "priority": each.priority}
            if each.test:  # nobody is to call: it is said to the test's own system alone
                log.info("contact.test_overdue", **where)
            else:
                log.warning("contact.overdue", **where)
