"""Serialises JSON responses: dates, times and ids in one way everywhere."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response
from werkzeug.datastructures import Headers

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


class JsonResponse(Response):
    """A response of one piece under headers that can be sent as they are: Werkzeug need not look for what to mend."""

    def get_wsgi_headers(self, _environ: Mapping[str, Any]) -> Headers:
        """Return the headers; the length is among them since the content was set, and a Location is plain ASCII."""
        return self.headers


def dump_json(content: Any) -> bytes:
    """Return `content` as JSON; times in UTC with `Z`."""
    return orjson.dumps(content, option=OPTIONS)


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `content` as a response."""
    # Passed through, the server gets the list that it is, and sends it at once.
    return JsonResponse(dump_json(content), status, headers, content_type="application/json", direct_passthrough=True)
