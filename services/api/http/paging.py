"""Pages through lists: limits, and cursors for keyset paging."""

import base64
import binascii
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from marshmallow import ValidationError, fields

from shared.clinical.referral.lifecycle import PRIORITIES
from shared.store.referrals import StoredReferral, WorklistPosition

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
EVENT_NUMBER = re.compile(r"[0-9]{1,18}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,3}")


class Limit(fields.Integer):
    """How many rows a page holds, in digits and nothing else."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        limit = int(value) if _WHOLE_NUMBER.fullmatch(value) else 0
        if not 1 <= limit <= MAX_LIMIT:
            raise ValidationError(f"Has to be a whole number from 1 to {MAX_LIMIT}.")
        return limit


class Number(fields.Integer):
    """The number of an event, in digits and nothing else; 0 stands before the first."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not EVENT_NUMBER.fullmatch(value):
            raise ValidationError("Has to be the id of an event, or 0.")
        return int(value)


class BadCursorError(ValueError):
    """The text is no cursor that was ever handed out."""


def cursor_after(referral: StoredReferral) -> str:
    """Return the cursor for what follows `referral`."""
    return written([referral.priority, referral.acknowledge_by, referral.id])


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
