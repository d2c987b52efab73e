"""Asks, in one statement, which of the watchman's tasks have anything to do; mostly none has."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.contact.overdue import CONTACT_IS_OVERDUE
from shared.store.delivery.deliveries import ANY_STALLED
from shared.store.escalation import RUNG_IS_DUE
from shared.store.event_log.feed import ANY_UNNUMBERED
from shared.store.queues import MANY_CHANGES

_DUE = text(f"""
    select {RUNG_IS_DUE} as escalation, {ANY_STALLED} as deliveries, {ANY_UNNUMBERED} as numbers,
        {MANY_CHANGES} as queues, {CONTACT_IS_OVERDUE} as contacts
""")


def pending_work(session: Session, *, age: timedelta) -> Mapping[str, bool]:
    """Say of each of these tasks whether there is anything to do; a delivery is stalled from `age` on."""
    return session.execute(_DUE, {"age": age}).one()._asdict()
