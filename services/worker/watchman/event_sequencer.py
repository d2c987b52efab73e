"""Numbers committed events, audits recent rows, and writes the head of the event chain into the log.

Tasks of the watchman.
"""

from dataclasses import dataclass

import structlog

from shared.platform import clock
from shared.platform.database import Sessions
from shared.store.access.access_log import last, number_records
from shared.store.event_log.feed import catch_up, head
from shared.store.operations.audit import RECENT, findings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EventSequencer:
    """Each of its tasks is safe to do twice, and by two watchmen at once."""

    sessions: Sessions

    def number(self) -> None:
        """Number every event that has no number, within a round of its commit."""
        catch_up(self.sessions)

    def number_access(self) -> None:
        """Number every record of the access log that has no number."""
        number_records(self.sessions)

    def audit(self) -> None:
        """Log as errors what the audit of recent rows finds. The whole audit is `referrals audit`."""
        with self.sessions() as session:
            found = findings(session, since=clock.now() - RECENT)
        for check, count in found.items():
            if count:
                log.error("audit.finding", check=check, count=count)

    def log_chain_head(self) -> None:
        """Log the heads of the chains of events and accesses, so that they are kept outside the database."""
        with self.sessions() as session:
            events, accesses = head(session), last(session)
        log.info("audit.head", number=events.number, digest=events.digest.hex())
        log.info("audit.access_head", number=accesses.number, digest=accesses.digest.hex())
