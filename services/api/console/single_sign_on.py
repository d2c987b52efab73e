"""OpenID Connect for the console: the hospital's identity provider says who signs in (code flow with PKCE)."""

from typing import Any, cast

from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from services.api.context import context_of, current_context
from shared.platform.crypto import keyed_hash
from shared.platform.settings import Settings

EXTENSION = "psoas-sign-on"
PROVIDER = "hospital"
PATH = "/console/sign-in/oidc"
PROVIDER_SECONDS = 5  # for an answer of the provider


class SignOnSession(SecureCookieSessionInterface):
    """What has to outlast the visit to the provider (state, nonce, code verifier), in a signed cookie of its own."""

    def open_session(self, app: Flask, request: Any) -> SecureCookieSession | None:
        """Read the cookie where it is needed, and nowhere else."""
        return super().open_session(app, request) if request.path.startswith(PATH) else None

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 - Flask's interface
        return "psoas_sign_on"

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - Flask's interface
        return PATH

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's interface
        return request.is_secure

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002 - Flask's interface
        return "Lax"  # the provider leads back here from another site


def register(app: Flask) -> None:
    """Prepare single sign-on where OIDC_ISSUER is set; nothing is asked of the provider before a person signs on."""
    settings = context_of(app).settings
    if not settings.oidc_issuer:
        return
    app.secret_key = keyed_hash(settings.lookup_key, b"console sign-on")
    app.session_interface = SignOnSession()
    oauth = OAuth(app)
    oauth.register(
        PROVIDER,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret or None,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.oidc_scope,
            "code_challenge_method": "S256",
            "default_timeout": PROVIDER_SECONDS,
            **({} if settings.oidc_client_secret else {"token_endpoint_auth_method": "none"}),
        },
    )
    app.extensions[EXTENSION] = oauth.create_client(PROVIDER)


def is_offered() -> bool:
    """Say whether persons may sign on through the provider."""
    return bool(current_context().settings.oidc_issuer)


def to_provider(app: Flask) -> Response:
    """Return the redirect that leads to the provider."""
    chosen = current_context().settings.oidc_redirect_uri
    return cast(
        Response, app.extensions[EXTENSION].authorize_redirect(chosen or url_for("console.signed_on", _external=True))
    )


def login_from_provider(app: Flask) -> str | None:
    """Exchange the code that the provider gave for its token; return the login in it, None where it has none.

    Raises what authlib, joserfc and requests raise where the provider refuses, or says what cannot be trusted.
    """
    settings: Settings = current_context().settings
    trusted = {
        "iss": {"essential": True, "values": [settings.oidc_issuer]},
        "aud": {"essential": True, "values": [settings.oidc_client_id]},
    }
    token = app.extensions[EXTENSION].authorize_access_token(claims_options=trusted)
    login = (token.get("userinfo") or {}).get(settings.oidc_claim)
    return login if isinstance(login, str) and login else None
