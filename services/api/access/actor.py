"""Describes the actor of the current request: key, person, client address and request id."""

from typing import Any

from flask import g, request
from marshmallow import missing

from services.api.context import current_context
from services.api.http import client_address as http_client_address
from services.api.http.auth import caller
from services.api.http.parsing.strict_fields import Text
from services.api.http.problems import ProblemError


def client_address() -> str:
    """Return the address from which the current request came."""
    return http_client_address.client_address(request, current_context().settings.trusted_proxies)


def event_actor() -> dict[str, Any]:
    """Return what an event keeps of the one who caused it; `person` is None where the key is no person's."""
    key = caller()
    return {
        "key_id": key.id,
        "person": key.person,
        "role": key.role,
        "address": client_address(),
        "request_id": g.request_id,
    }


class By(Text):
    """The person who acts: of a person's key its own name; whoever has another key has to say for whom."""

    def deserialize(self, value: Any, *place: Any, **options: Any) -> Any:
        """Return the name; raises ProblemError 403 where a person's key gives another's."""
        own = caller().person
        if value is missing and own is not None:
            return own
        if value is missing:
            raise self.make_error("required")
        name = super().deserialize(value, *place, **options)
        if own is not None and name != own:
            raise ProblemError(403, "This key is a person's: it acts under that person's name alone.", kind="not-you")
        return name
