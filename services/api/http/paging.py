"""Pages through lists: limits, and cursors for keyset paging."""

import base64
import binascii
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.clinical.referral.lifecycle import PRIORITIES
from shared.store.lists.worklist import WorklistPosition
from shared.store.referrals import StoredReferral


class BadCursorError(ValueError):
    """The text is no cursor that was ever handed out."""


def cursor_after(referral: StoredReferral) -> str:
    """Return the cursor for what follows `referral`."""
    return cursor_at(WorklistPosition(referral.priority, referral.acknowledge_by, referral.id))


def cursor_at(position: WorklistPosition) -> str:
    """Return the cursor for what follows a position in a list of referrals."""
    return written([position.priority, position.acknowledge_by, position.id])


def position_of(cursor: str) -> WorklistPosition:
    """Return the place that `cursor` stands for; raises BadCursorError."""
    try:
        priority, acknowledge_by, referral_id = read(cursor)
        position = WorklistPosition(priority, datetime.fromisoformat(acknowledge_by), UUID(referral_id))
    except (ValueError, TypeError, AttributeError):
        raise BadCursorError from None
    if priority not in range(len(PRIORITIES)) or isinstance(priority, bool) or position.acknowledge_by.tzinfo is None:
        raise BadCursorError
    return position


def written(place: list[Any]) -> str:
    """Return a place as a cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def read(cursor: str) -> Any:
    """Return the place that was written as `cursor`, or whatever else it says; raises BadCursorError."""
    try:
        return orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise BadCursorError from None
