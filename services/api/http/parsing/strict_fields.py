"""Marshmallow fields that accept a value as it is or refuse it: nothing is converted, trimmed or guessed."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError, fields, validate

from shared.clinical.fields import NOT_ASKED, Field
from shared.clinical.text import CONTROL, normalise

MESSAGES = {"unknown": "Not a known key.", "type": "Has to be an object."}  # of every schema that checks what is sent
REQUIRED: dict[str, Any] = {"required": "Required.", "null": "Required, so not null."}
MAX_INTEGER = 2**53
MAX_LENGTH = 10_000

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"
)


class Strict(fields.Field[Any]):
    """A field that hands back what it was given, or refuses it with a reason."""

    default_error_messages = REQUIRED

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:  # noqa: ARG002
        problem = self.refuse(value)
        if problem:
            raise ValidationError(problem)
        return value

    def refuse(self, value: Any) -> str | None:
        """Return what is wrong with `value`, or None."""
        raise NotImplementedError  # every kind of field says for itself what it refuses


class Text(Strict):
    """Words: bounded, without control characters, unless it may have several lines: there they become spaces."""

    def __init__(
        self,
        *,
        least: int = 0,
        most: int = MAX_LENGTH,
        pattern: str | None = None,
        multiline: bool = False,
        **settings: Any,
    ) -> None:
        """Bound the length in characters; `pattern` has to match the whole text."""
        described = {"minLength": least, "maxLength": most}
        super().__init__(**{**settings, "metadata": described | settings.get("metadata", {})})
        self._least, self._most = least, most
        self._pattern = re.compile(pattern) if pattern else None
        self._multiline = multiline

    def refuse(self, value: Any) -> str | None:
        """Refuse what is no text, too short or long, blank where something has to stand, or not of the pattern."""
        if not isinstance(value, str):
            return "Has to be a text."
        if len(value) > self._most:
            return f"Longer than {self._most} characters."
        if self._least and len(normalise(value).strip()) < self._least:  # what nobody sees says nothing
            return f"Has to say something, in at least {self._least} characters."
        if not self._multiline and CONTROL.search(value):
            return "Holds a control character, a line separator or a mark of direction."
        if self._pattern and value and not self._pattern.fullmatch(value):
            return "Not of the form described."
        return None


class Choice(Strict):
    """One of a list of texts, compared exactly; `old` ones are taken as well, and not shown."""

    def __init__(self, values: tuple[str, ...], *, old: tuple[str, ...] = (), **settings: Any) -> None:
        """Take the texts that are allowed."""
        super().__init__(metadata={"enum": list(values)}, **settings)
        self.values = values
        self.allowed = frozenset((*values, *old))

    def refuse(self, value: Any) -> str | None:
        """Refuse what is not on the list."""
        if isinstance(value, str) and value in self.allowed:
            return None
        return one_of(self.values)


def one_of(values: tuple[str, ...]) -> str:
    """Return what is said of an answer that is not on the list."""
    return f"Has to be one of: {', '.join(values)}."


class Number(Strict):
    """A number, whole or not, written as a number."""

    def __init__(self, *, minimum: float | None, maximum: float | None, **settings: Any) -> None:
        """Take the range, both ends included."""
        super().__init__(**settings)
        self._minimum, self._maximum = minimum, maximum

    def refuse(self, value: Any) -> str | None:
        """Refuse texts, true and false, what no double can hold exactly, and what is out of range."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "Has to be a number."
        if isinstance(value, int) and abs(value) > MAX_INTEGER:
            return "Too large a number."
        low = self._minimum is not None and value < self._minimum
        high = self._maximum is not None and value > self._maximum
        return f"Has to be from {self._minimum:g} to {self._maximum:g}." if low or high else None


class Flag(Strict):
    """True or false; 0 and 1 are numbers."""

    def refuse(self, value: Any) -> str | None:
        """Refuse anything else."""
        return None if isinstance(value, bool) else "Has to be true or false."


class Day(Strict):
    """A day of the calendar, `YYYY-MM-DD`."""

    def refuse(self, value: Any) -> str | None:
        """Refuse other ways to write a day, and days that never were."""
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            return "Has to be a day as YYYY-MM-DD."
        return None if _is(date.fromisoformat, value) else "There is no such day."


class Moment(Strict):
    """A day and time with its offset from UTC (ISO 8601)."""

    def refuse(self, value: Any) -> str | None:
        """Refuse a moment without offset, and moments that never were."""
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            return "Has to be a day and time with an offset, such as 2026-11-22T09:30:00+01:00."
        return None if _is(datetime.fromisoformat, value.upper()) else "There is no such moment."


class Id(Strict):
    """The id of something here, in the usual way to write a UUID."""

    def refuse(self, value: Any) -> str | None:
        """Refuse other ways to write one."""
        return None if isinstance(value, str) and _UUID.fullmatch(value) else "Has to be an id, as a UUID."


class OrNotAsked(fields.Field[Any]):
    """Another field that may also be null or `not_asked`, which mean the same."""

    def __init__(self, inner: Strict) -> None:
        """Wrap the field that checks an answer where there is one."""
        super().__init__(allow_none=True)
        self._inner = inner

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        return None if value == NOT_ASKED else self._inner.deserialize(value, attr, data)


def field_of(asked: Field) -> fields.Field[Any]:
    """Return the field that checks answers to `asked`."""
    check = check_of(asked)
    return check if asked.required else OrNotAsked(check)


def check_of(asked: Field) -> Strict:
    """Return the field that checks an answer to `asked` where there is one."""
    if asked.values:
        return Choice(asked.accepts, old=tuple(asked.old_answers), required=asked.required)
    match asked.type:
        case "number":
            return Number(minimum=asked.minimum, maximum=asked.maximum, required=asked.required)
        case "boolean":
            return Flag(required=asked.required)
        case "date":
            return Day(required=asked.required)
        case "moment":
            return Moment(required=asked.required)
    answered = [validate.NoneOf([NOT_ASKED], error="Has to be answered.")] if asked.required else []
    return Text(
        least=asked.min_length or 0,
        most=asked.max_length or MAX_LENGTH,
        pattern=asked.pattern,
        multiline=asked.multiline,
        required=asked.required,
        validate=answered,
    )


def _is(parse: Any, value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True
