"""Parses queries and small bodies for the views: strictly, with the same errors as everywhere."""

from typing import Any, NoReturn

from flask import Request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from services.api.http.parsing import strict_json
from services.api.http.parsing.json_pointers import errors_of
from services.api.http.parsing.strict_fields import MESSAGES
from services.api.http.problems import InvalidError


class StrictParser(FlaskParser):
    """Refuses what no schema names, wherever it stands."""

    def __init__(self) -> None:
        """Refuse unknown parameters of a query too."""
        super().__init__()
        self.DEFAULT_UNKNOWN_BY_LOCATION = {**self.DEFAULT_UNKNOWN_BY_LOCATION, "json": RAISE, "query": RAISE}

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002 - webargs hands both
        """Return the body as strict JSON."""
        return strict_json.read(req)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Return the query; what stands in it twice is refused."""
        twice = [name for name, values in req.args.lists() if len(values) > 1]
        if twice:
            raise InvalidError(errors_of({name: ["Stands twice."] for name in twice}))
        return super().load_querystring(req, schema)

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Tell each error by its pointer; webargs' own level, body or query, is left out."""
        located = error.messages_dict.values()
        raise InvalidError(pair for messages in located for pair in errors_of(messages)) from None


class StrictBlueprint(Blueprint):
    """A blueprint whose arguments are read strictly."""

    ARGUMENTS_PARSER = StrictParser()


class Body(Schema):
    """A small body or a query."""

    error_messages = MESSAGES
