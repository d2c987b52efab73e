"""Schemas of a search of the access log and of its result."""

from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields

from services.api.http import paging
from services.api.http.lists import DEFAULT_LIMIT, MAX_LIMIT
from services.api.http.parsing.request_parser import Body
from services.api.http.parsing.strict_fields import Moment, Strict, Text
from services.api.schemas.members import ResponseSchema, listed, moment, string
from shared.store.access.access_search import AccessPosition

MAX_NAME_LENGTH = 200
MAX_MRN_LENGTH = 128  # as the form takes


class PageSize(Strict):
    """How many records a page holds."""

    def refuse(self, value: Any) -> str | None:
        """Refuse what is no whole number in the range."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and 1 <= value <= MAX_LIMIT else f"Has to be a whole number from 1 to {MAX_LIMIT}."


class Time(Moment):
    """A moment, read."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = super()._deserialize(value, attr, data, **options)
        return datetime.fromisoformat(text.upper())


class Cursor(fields.String):
    """Where a page begins."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            at, access_id = paging.read(value)
            position = AccessPosition(datetime.fromisoformat(at), access_id)
        except (ValueError, TypeError, AttributeError):
            position = None
        if position is None or position.at.tzinfo is None or not _is_id(position.id):
            raise ValidationError("No cursor that was handed out here.")
        return position


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


class AccessSearch(Body):
    """Whose accesses, to whose data, and when; what is not given limits nothing."""

    mrn = Text(least=1, most=MAX_MRN_LENGTH, load_default=None, metadata={"description": "Of the patient looked at."})
    person = Text(least=1, most=MAX_NAME_LENGTH, load_default=None, metadata={"description": "Who looked, by name."})
    since = Time(load_default=None, metadata={"format": "date-time", "description": "From this moment on."})
    until = Time(load_default=None, metadata={"format": "date-time", "description": "Before this moment."})
    limit = PageSize(load_default=DEFAULT_LIMIT, metadata={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT})
    cursor = Cursor(load_default=None, metadata={"description": "`next` of the page before."})


class AccessRecord(ResponseSchema):
    """One answer that showed identities, or that was refused."""

    number = fields.Integer(required=True, metadata={"description": "Its place in the log, from 1 without gaps."})
    at = moment()
    person = string("As which person; null where a system's key named none.", allow_none=True)
    key_id = string("Through which key.")
    role = string("Of the key.")
    facility = string("To which the key is limited.", allow_none=True)
    address = string("From which address.")
    request_id = string("Of the request, as in its answer.")
    method = string()
    route = string("The pattern of the address that was asked for.")
    status = fields.Integer(required=True, metadata={"description": "200: shown; 403, 404: refused."})
    referral_id = fields.UUID(required=True, allow_none=True)
    intake_id = fields.UUID(required=True, allow_none=True)
    patients = listed(fields.String(), "Keyed hashes of the patients whose identity was shown or asked for.")


class AccessRecords(ResponseSchema):
    """A page of the access log, newest first."""

    records = listed(AccessRecord)
    next = string("For the page that follows; null on the last.", allow_none=True)
