"""What the lists have in common: how many a page holds, where it begins, and whether tests are shown."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields

from services.api.http import paging
from services.api.http.paging import BadCursorError, position_of
from services.api.http.parsing.strict_fields import Choice, Moment, Strict
from shared.clinical.referral.references import BadReferenceError, read_reference
from shared.store.lists.intake_lists import IntakePosition

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
NO_CURSOR = "No cursor that was handed out here."
_WHOLE_NUMBER = re.compile(r"[0-9]{1,3}")
_EVENT_NUMBER = re.compile(r"[0-9]{1,18}")
BOOLEANS = {"true": True, "false": False}


class Limit(fields.Integer):
    """How many a page holds, in digits and nothing else."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        limit = int(value) if _WHOLE_NUMBER.fullmatch(value) else 0
        if not 1 <= limit <= MAX_LIMIT:
            raise ValidationError(f"Has to be a whole number from 1 to {MAX_LIMIT}.")
        return limit


class Cursor(fields.String):
    """Where a page of referrals begins."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            return position_of(value)
        except BadCursorError:
            raise ValidationError(NO_CURSOR) from None


class IdCursor(fields.String):
    """Where a page begins that is ordered by id alone."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            (written,) = paging.read(value)
            return UUID(written)
        except (ValueError, TypeError, AttributeError):
            raise ValidationError(NO_CURSOR) from None


class EventNumber(fields.Integer):
    """The number of an event, in digits and nothing else; 0 stands before the first."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            return event_number(value)
        except ValueError:
            raise ValidationError("Has to be the id of an event, or 0.") from None


class Instant(fields.Field[datetime]):
    """A moment in a query, with its offset from UTC."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        refusal = Moment().refuse(value)
        if refusal:
            raise ValidationError(refusal)
        return datetime.fromisoformat(value.upper())


class IntakeCursor(fields.String):
    """Where a page of intakes begins."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            received_at, intake_id = paging.read(value)
            position = IntakePosition(datetime.fromisoformat(received_at), UUID(intake_id))
        except (ValueError, TypeError, AttributeError):
            raise ValidationError(NO_CURSOR) from None
        if position.received_at.tzinfo is None:
            raise ValidationError(NO_CURSOR)
        return position


class ReferenceField(fields.String):
    """A reference as a person types it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Has to be text.")
        try:
            return read_reference(value)
        except BadReferenceError:
            raise ValidationError("No reference: a symbol is wrong or missing.") from None


class YesOrNo(fields.Boolean):
    """`true` or `false` in a query, and nothing else."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value not in BOOLEANS:
            raise ValidationError("Has to be true or false.")
        return BOOLEANS[value]


def event_number(written: str) -> int:
    """Return the number of an event; raises ValueError for what is none."""
    if not _EVENT_NUMBER.fullmatch(written):
        raise ValueError
    return int(written)


def limit() -> Limit:
    """Return the parameter for how many a page holds."""
    return Limit(load_default=DEFAULT_LIMIT, metadata={"minimum": 1, "maximum": MAX_LIMIT})


def cursor(kind: type[fields.String] = Cursor) -> fields.String:
    """Return the parameter for where a page begins."""
    return kind(load_default=None, metadata={"description": "`next` of the page before."})


def tests() -> YesOrNo:
    """Return the parameter that asks for the cases of test facilities."""
    return YesOrNo(
        load_default=False, metadata={"description": "`true`: the cases of test facilities, and nothing else."}
    )


def status(values: tuple[str, ...], default: str | None) -> Strict:
    """Return the parameter for a status, which is left out where there is no default."""
    return Choice(values) if default is None else Choice(values, load_default=default)
