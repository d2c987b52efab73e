"""Signing in and out of the console."""

from typing import cast

from flask import Response, make_response, redirect, render_template, request, url_for

from services.api.access.actor import client_address
from services.api.console import session
from services.api.console.blueprint import blueprint
from services.api.context import current_context
from services.api.http.auth import allow, caller
from services.api.http.parsing.strict_fields import Text
from services.api.limits.guessing import failed_authentication
from services.api.referrals.requests import MAX_NAME_LENGTH
from shared.clinical.text import CONTROL
from shared.store.access import console_sessions

ROLES = ("department", "operator", "auditor", "admin")
WRONG_KEY = "That key does not open the console. Check it, or ask your administrator for a new one."
NO_NAME = "Enter your name: it stands beside everything that you do."
NAME = Text(least=1, most=MAX_NAME_LENGTH)  # as `by` of an action
BAD_NAME = "Enter your name in letters: it holds a character that nobody sees."


@blueprint.get("/sign-in")
def sign_in() -> str:
    """Show the sign-in form."""
    return render_template("console/sign_in.html", next=wanted_page(), error=None, name="")


@blueprint.post("/sign-in")
def open_session() -> Response:
    """Open a session for a key, in the name of the person whose key it is, or in the one that is given."""
    session.refuse_other_sites()
    name = " ".join(request.form.get("name", "").split())[:MAX_NAME_LENGTH]
    presented = request.form.get("key", "").strip()
    key = current_context().keys.find(presented)
    name = key.person if key is not None and key.person else name  # a person's key says whose it is
    error = WRONG_KEY if key is None or key.role not in ROLES else _refuse_name(name)
    if key is None:
        refused = failed_authentication(current_context(), presented, client_address())
        if refused.status != 401:
            raise refused
    if error or key is None:
        page = render_template("console/sign_in.html", next=wanted_page(), error=error, name=name)
        return make_response(page, 401 if error == WRONG_KEY else 422)
    return _signed_in(key.id, "person", name, wanted_page() or url_for("console.board"))


@blueprint.post("/wall")
@allow(*ROLES)
def open_wall() -> Response:
    """Turn this screen into a wall: the person is signed out, and a session without identity or actions begins."""
    return _signed_in(caller().id, "wall", None, url_for("console.board", view="wall"))


@blueprint.post("/sign-out")
@allow(*ROLES)
def sign_out() -> Response:
    """End this session, or all of this person's."""
    with current_context().sessions.begin() as transaction:
        console_sessions.end_session(transaction, session.signed_in().token_hash)
        if "everywhere" in request.form:
            console_sessions.end_sessions_of(transaction, caller().id, session.person())
    response = _see_other(url_for("console.sign_in"))
    session.clear_cookie(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'  # for who uses the computer next
    return response


def _refuse_name(name: str) -> str | None:
    """Return what is wrong with a name; every action would refuse what is refused here."""
    return NO_NAME if not name else BAD_NAME if NAME.refuse(name) else None


def _signed_in(key_id: str, kind: str, name: str | None, address: str) -> Response:
    with current_context().sessions.begin() as transaction:
        former = session.presented_token()
        token = console_sessions.open_session(
            transaction, session.hash_key(), kind=kind, key_id=key_id, name=name, former=former
        )
    response = _see_other(address)
    session.set_cookie(response, token, kind)
    return response


def _see_other(address: str) -> Response:
    return cast(Response, redirect(address, 303))


def wanted_page() -> str | None:
    """Return where the reader wanted to go, if that is a page of the console."""
    wanted = request.values.get("next", "")
    is_ours = wanted.startswith("/console") and "//" not in wanted and "\\" not in wanted
    return wanted if is_ours and not CONTROL.search(wanted) else None
