"""Adds events and their deliveries (transactional outbox) in the transaction of the change that they describe.

Numbering and reading in order: shared/store/event_log/feed.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import PRIORITIES
from shared.platform.crypto import IdentityCipher
from shared.platform.raw_statement import RawStatement
from shared.platform.task_queues import FACILITY_DELIVERIES
from shared.store.event_log.texts import sealed_event
from shared.store.sql import load

FORM_READ = "referral.form_read"  # the one event of a referral that no destination hears of
HIDDEN_FROM_SENDERS = (FORM_READ, "referral.identity_corrected")  # who read what, and whose it is now


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that is due, if only to be parked, and the task queue on which it is announced."""

    id: UUID
    queue: str


FAN_OUT = load(
    "fan_out",
    priorities=", ".join(f"'{priority}'" for priority in PRIORITIES),
    facility_deliveries=FACILITY_DELIVERIES,
    form_read=FORM_READ,
    hidden_from_senders=", ".join(map(repr, HIDDEN_FROM_SENDERS)),
)
_APPEND = RawStatement(text(load("append_events", fan_out=FAN_OUT)))


def append_events(
    session: Session, events: Sequence[Mapping[str, Any]], *, cipher: IdentityCipher | None = None
) -> list[DueDelivery]:
    """Add events (type, referral_id, intake_id, by, data, actor) in this order; return what is due of them.

    Words of a person in their data are sealed with `cipher`; without it there must be none.
    Each event of a referral leads to a delivery to every destination that listens; events of deliveries lead to none.
    A delivery to a disabled destination is parked by the next sweep, which adds that to the timeline.
    """
    if not events:
        return []
    stored = [sealed_event(cipher, event) for event in events]
    return due_deliveries(_APPEND.execute(session, {"events": orjson.dumps(stored).decode()}))


def due_deliveries(rows: Iterable[Sequence[Any]]) -> list[DueDelivery]:
    """Return the deliveries that FAN_OUT added, from the rows that it returned."""
    return [DueDelivery(*each) for each in rows]
