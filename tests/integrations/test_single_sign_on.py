"""Signing in to the console through a real identity provider: authorization code with PKCE, and what does not pass."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from services.api.app import create_app
from services.api.context import EXTENSION
from shared.store.access import people
from tests.api.test_server import free_port
from tests.program import program

VERSION = "9.13.3"
HERE = Path(__file__).parent
CALLBACK = "http://localhost/console/sign-in/oidc/callback"
SECRET = "a-secret-of-the-tests"  # noqa: S105 - of the provider that is started here
START_SECONDS = 30


@pytest.fixture(scope="session")
def node_modules():
    """The folder in which the provider is installed, once a machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / f"psoas-tests/oidc-provider-{VERSION}"
    if not (folder / "node_modules/oidc-provider").exists():
        folder.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm")
        assert npm, "npm is needed"
        package = f"oidc-provider@{VERSION}"
        install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", folder, package]
        subprocess.run(install, check=True, capture_output=True, timeout=100)
    return folder


@pytest.fixture
def issuer(node_modules):
    """The address of a running provider."""
    port = free_port()
    node = shutil.which("node")
    assert node, "node is needed"
    with program([node, HERE / "provider.mjs", node_modules, str(port), CALLBACK]) as running:
        running.wait_for("listens at", START_SECONDS)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def browser(issuer, settings, sessions):
    """A browser's view of the console, to which the provider's users may sign in."""
    with sessions.begin() as session:
        people.add(session, name="Dr A. Okafor", role="operator", login="okafor")
    own = replace(settings, oidc_issuer=issuer, oidc_client_id="psoas", oidc_client_secret=SECRET)
    app = create_app(own)
    yield app.test_client()
    app.extensions[EXTENSION].close()


def to_provider(browser):
    """Begin to sign in; return where the console leads."""
    page = browser.get("/console/sign-in")
    assert "Sign in with your hospital account" in page.text
    answer = browser.get("/console/sign-in/oidc?next=/console/queues/urgent")
    assert answer.status_code == 302
    return answer.headers["Location"]


def at_provider(address, login):
    """Sign in at the provider as a browser would; return where it leads back to."""
    with requests.Session() as web:
        answer = web.get(address, timeout=10)
        while True:
            forms = re.findall(r'<form[^>]* action="([^"]+)"', answer.text)
            prompt = "login" if 'name="login"' in answer.text else "consent"
            body = {"prompt": prompt, "login": login, "password": "any"} if prompt == "login" else {"prompt": prompt}
            answer = web.post(forms[0], data=body, allow_redirects=False, timeout=10)
            while answer.is_redirect:
                target = answer.headers["Location"]
                if target.startswith(CALLBACK):
                    return target
                answer = web.get(requests.compat.urljoin(answer.url, target), allow_redirects=False, timeout=10)


def path_of(address):
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def test_a_person_signs_on_and_acts_under_the_own_name(browser):
    address = to_provider(browser)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert asked["nonce"]
    assert browser.get("/console").status_code in (302, 303)
    back = at_provider(address, "okafor")
    signed_on = browser.get(path_of(back))
    assert signed_on.status_code == 200
    assert 'url=/console/queues/urgent"' in signed_on.text
    assert "SameSite=Strict" in "".join(signed_on.headers.getlist("Set-Cookie"))
    assert "Dr A. Okafor" in browser.get("/console").text
    assert browser.get(path_of(back)).status_code == 401  # a code opens once


def test_who_was_not_added_or_is_closed_does_not_get_in(browser, sessions):
    assert browser.get(path_of(at_provider(to_provider(browser), "stranger"))).status_code == 401
    signed_on = browser.get(path_of(at_provider(to_provider(browser), "okafor")))
    assert signed_on.status_code == 200
    with sessions.begin() as session:
        assert people.close(session, "Dr A. Okafor")
    again = browser.get(path_of(at_provider(to_provider(browser), "okafor")))
    assert again.status_code == 401
    assert "may not open the console" in again.text


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(browser):
    back = at_provider(to_provider(browser), "okafor")
    other = browser.application.test_client()
    assert other.get(path_of(back)).status_code == 401
    forged = re.sub(r"code=[^&]+", "code=forged", path_of(back))
    assert browser.get(forged).status_code == 401
    assert browser.get("/console/sign-in/oidc/callback?error=access_denied&state=x").status_code == 401


def test_without_the_provider_keys_still_open(settings, sessions):
    own = replace(settings, oidc_issuer=f"http://127.0.0.1:{free_port()}", oidc_client_id="psoas")
    with sessions.begin() as session:
        key = people.issue_key(session, people.add(session, name="Dr B", role="operator"))[1]
    app = create_app(own)
    browser = app.test_client()
    assert browser.get("/console/sign-in/oidc").status_code == 503
    assert browser.post("/console/sign-in", data={"key": key}).status_code == 303
    assert "Dr B" in browser.get("/console").text
    app.extensions[EXTENSION].close()
