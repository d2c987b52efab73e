"""Routes for the OpenAPI document and a page that shows it, with nothing loaded from elsewhere."""

from pathlib import Path

from flask import Blueprint, Response, current_app, redirect, send_from_directory
from werkzeug.wrappers import Response as WerkzeugResponse

from services.api.http.responses import json_response
from services.api.openapi.generator import document
from services.api.openapi.problems_page import problems_page

blueprint = Blueprint("docs", __name__)

STATIC = Path(__file__).parents[1] / "static"
A_YEAR = 31_536_000  # seconds; the folder's name has the version in it
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/")
def home() -> WerkzeugResponse:
    """Lead a browser that was given the bare address to the console."""
    return redirect("/console")


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI document."""
    return json_response(document(current_app))


@blueprint.get("/docs")
def page() -> Response:
    """Return the page that shows the document."""
    return _closed(send_from_directory(STATIC, "docs.html"))


@blueprint.get("/docs/problems")
def problem_types() -> Response:
    """Return the page that lists every type of problem."""
    return _closed(Response(problems_page(), content_type="text/html; charset=utf-8"))


@blueprint.get("/docs/assets/<path:name>")
def asset(name: str) -> Response:
    """Return a file that the page loads."""
    vendored = name.startswith("vendor/")
    return send_from_directory(STATIC, name, max_age=A_YEAR if vendored else None)


def _closed(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
