"""Signing in through the hospital's identity provider."""

import structlog
from authlib.common.errors import AuthlibBaseError
from flask import Response, current_app, make_response, render_template, session, url_for
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.exceptions import NotFound

from services.api.console import session as console_session
from services.api.console import single_sign_on
from services.api.console.blueprint import blueprint
from services.api.console.pages.sign_in import wanted_page
from services.api.context import current_context
from shared.store.access import console_sessions, people

UNKNOWN = "Your account may not open the console. Ask your administrator to add it."
REFUSED = "Signing in did not succeed. Try again."
UNAVAILABLE = "The identity provider does not answer. Try again, or sign in with your key."

log = structlog.get_logger(__name__)


@blueprint.get("/sign-in/oidc")
def sign_on() -> Response:
    """Lead to the identity provider."""
    if not single_sign_on.is_offered():
        raise NotFound
    session["next"] = wanted_page()
    try:
        return single_sign_on.to_provider(current_app)
    except (RequestException, AuthlibBaseError, ValueError) as error:
        log.warning("sign_on.unavailable", error=type(error).__name__)
        return _sign_in_page(UNAVAILABLE, 503)


@blueprint.get("/sign-in/oidc/callback")
def signed_on() -> Response:
    """Open a session for the person whom the identity provider names."""
    if not single_sign_on.is_offered():
        raise NotFound
    address = session.pop("next", None) or url_for("console.board")
    try:
        login = single_sign_on.login_from_provider(current_app)
    except RequestException as error:
        log.warning("sign_on.unavailable", error=type(error).__name__)
        return _sign_in_page(UNAVAILABLE, 503)
    except (AuthlibBaseError, JoseError, ValueError, KeyError) as error:
        log.warning("sign_on.refused", error=type(error).__name__)
        return _sign_in_page(REFUSED, 401)
    with current_context().sessions.begin() as transaction:
        signed = people.sign_on(transaction, login) if login else None
        if signed is not None:
            former, hash_key = console_session.presented_token(), console_session.hash_key()
            token = console_sessions.open_session(
                transaction, hash_key, kind="person", key_id=signed.key_id, name=signed.name, former=former
            )
    if signed is None:
        return _sign_in_page(UNKNOWN, 401)
    # A redirect would still belong to the provider's navigation, on which a browser sends no strict cookie.
    response = make_response(render_template("console/signed_on.html", address=address))
    console_session.set_cookie(response, token, "person")
    return response


def _sign_in_page(error: str, status: int) -> Response:
    return make_response(render_template("console/sign_in.html", next=None, error=error, name=""), status)
