"""Addresses of the console at which there is no page."""

from typing import cast

from flask import Response, redirect, url_for
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.http.auth import READERS, allow


@blueprint.get("/", defaults={"_unknown": ""})
@blueprint.get("/<path:_unknown>")
@allow("auditor", *READERS)
def not_there(_unknown: str) -> Response:
    """Lead from `/console/` to the board, and say of any other address that nothing is there."""
    if _unknown:
        raise NotFound
    return cast(Response, redirect(url_for("console.board"), 303))
