"""The blueprint of the console: its addresses, its headers, and its errors as pages."""

from collections.abc import Mapping
from pathlib import Path

from flask import Blueprint, Response, g, redirect, render_template, request, send_from_directory, url_for

from services.api.http.problems import MEDIA_TYPE, TITLES, ProblemError

STATIC = Path(__file__).parent / "static"
A_YEAR = 31_536_000  # seconds; a vendored folder's name has the version in it
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}

UNAVAILABLE = "The database is unavailable. Try again in a moment."

blueprint = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")


class SignInNeededError(Exception):
    """The request has no live session."""


@blueprint.get("/assets/<path:name>")
def asset(name: str) -> Response:
    """Return a file that the pages load."""
    return send_from_directory(STATIC, name, max_age=A_YEAR if name.startswith("vendor/") else None)


@blueprint.after_request
def add_headers(response: Response) -> Response:
    """Send the headers that keep a page from loading or being framed by another site."""
    response.headers.update(HEADERS)
    return response


@blueprint.errorhandler(SignInNeededError)
def ask_to_sign_in(_error: SignInNeededError) -> Response:
    """Lead to the sign-in page, and from there back to the page that was asked for."""
    is_page = request.method == "GET" and request.endpoint != "console.not_there"  # no other path is sent back
    wanted = request.full_path.rstrip("?") if is_page else None
    address = url_for("console.sign_in", next=wanted)
    if "HX-Request" in request.headers:  # htmx would put the sign-in page into the place of a table
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address, 303)  # type: ignore[return-value]


@blueprint.errorhandler(ProblemError)
def show_problem(problem: ProblemError) -> tuple[str, int, Mapping[str, str]]:
    """Show an error as a page."""
    return _problem_page(problem.status, problem.detail), problem.status, problem.headers


@blueprint.after_request
def show_answered_problem(response: Response) -> Response:
    """Show as a page also what the application has answered as a problem: what is not there, or an outage."""
    if response.mimetype == MEDIA_TYPE and "HX-Request" not in request.headers:
        detail = UNAVAILABLE if response.status_code == 503 else response.get_json()["detail"]
        response.set_data(_problem_page(response.status_code, detail))
        response.content_type = "text/html; charset=utf-8"
    return response


def _problem_page(status: int, detail: str) -> str:
    title, _ = TITLES[status]
    return render_template("console/problem.html", title=title, detail=detail, request_id=g.get("request_id"))
