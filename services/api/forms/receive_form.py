"""Reads the form of a request: strict JSON, the protocol's schema, and checks that a schema cannot express."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import request

from services.api.context import AppContext
from services.api.http.parsing import strict_json
from services.api.http.parsing.json_pointers import errors_of
from services.api.http.parsing.strict_fields import one_of
from services.api.http.problems import InvalidError
from shared.clinical.fields import NOT_ASKED
from shared.clinical.form import Form, read
from shared.clinical.protocol import Protocol

AHEAD = timedelta(hours=24)  # as far as a sender's clock may be ahead of ours


@dataclass(frozen=True, slots=True)
class ReceivedForm:
    """A form that was accepted: the body as it came, and what was read from it as of `today`."""

    body: dict[str, Any]
    form: Form
    today: date

    def given(self, section: str, name: str) -> Any:
        """Return what the sender answered, None where nothing."""
        answer = (self.body.get(section) or {}).get(name)
        return None if answer == NOT_ASKED else answer

    @property
    def amends(self) -> UUID | None:
        """Return the intake of which this form is a new version."""
        amended = self.body.get("amends")
        return None if amended is None else UUID(amended)


def receive_form(context: AppContext, now: datetime) -> ReceivedForm:
    """Return the form in the current request's body; raises ProblemError for what the contract refuses."""
    return read_form(context, strict_json.read(request), now)


def read_form(context: AppContext, body: Any, now: datetime) -> ReceivedForm:
    """Return the form that `body` is; raises ProblemError for what the contract refuses."""
    if not context.is_valid_form(body):
        messages = context.form.validate(body)
        if messages:
            raise InvalidError(errors_of(messages))
    today = _today(body, now)
    form = read(body, context.protocol, today=today)
    _refuse_old_answers(context.protocol, form, now)
    return ReceivedForm(body, form, today)


def _refuse_old_answers(protocol: Protocol, form: Form, now: datetime) -> None:
    """Refuse the answers of an earlier version after their last day, as any other that is not on the list."""
    errors = [
        (f"/{asked.section}/{asked.name}", one_of(asked.accepts))
        for asked in protocol.form.renewed
        if form.answers.get(asked.name) in asked.old_answers and is_past(asked.old_answers_until, now)
    ]
    if errors:
        raise InvalidError(errors)


def is_past(last: date | None, now: datetime) -> bool:
    """Tell whether a day is over; one that is not named never is."""
    return last is not None and now.astimezone(UTC).date() > last


def _today(body: dict[str, Any], now: datetime) -> date:
    submitted_at = (body.get("encounter") or {}).get("submitted_at")
    if submitted_at in (None, NOT_ASKED):
        return now.astimezone(UTC).date()
    moment = datetime.fromisoformat(submitted_at.upper())
    if moment.replace(tzinfo=UTC) > now + AHEAD + (moment.utcoffset() or timedelta()):
        raise InvalidError([("/encounter/submitted_at", "More than 24 hours ahead of its receipt.")])
    return moment.date()
