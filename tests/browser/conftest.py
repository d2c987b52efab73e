"""The console in a real Chromium: one server for all tests, on a database that each test finds empty."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine, select
from werkzeug.serving import WSGIRequestHandler, make_server

from services.api.app import create_app
from services.api.console import minute_cache
from services.api.context import EXTENSION
from services.worker.triage.sandbox import Sandbox
from services.worker.triage.sandbox_process import COMMAND
from services.worker.triage.triager import Triager
from shared.clinical.triage import triage
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.platform.task_queues import LANES
from shared.protocols import active
from shared.store.access import facilities, keys
from shared.tables import Referral
from tests.cases import case_for

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--autoplay-policy=no-user-gesture-required"),
)
FACILITY = "st-marys"
REFERENCES: dict[str, str] = {}  # of the referrals that the tests have made
ME, OTHER = "Dr A. Okafor", "Nurse M. Haile"


class Silent(WSGIRequestHandler):
    """A handler that logs no request."""

    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing."""


@dataclass
class Console:
    """A running console, and what fills it."""

    url: str
    sessions: Sessions
    post: Callable[..., str]
    triage_all: Callable[[], None]

    def key(self, role: str = "operator", **scope: Any) -> str:
        """Issue a key."""
        with self.sessions.begin() as session:
            return keys.issue(session, role=role, **scope)[1]

    def case(self, queue: str, priority: str | None = None, *, mrn: str = "MRN-1") -> str:
        """Post a form that belongs in `queue`, triage it, and return the referral's id."""
        return self.post(case_for(queue, priority).body(mrn))

    def sign_in(self, page: Page, *, name: str = ME, role: str = "operator", **scope: Any) -> Page:
        """Sign in by the form, as a person does."""
        page.goto(f"{self.url}/console/sign-in")
        page.get_by_role("textbox", name="Key").fill(self.key(role, **scope))
        page.get_by_role("textbox", name="Your name").fill(name)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()
        page.wait_for_load_state()  # its script listens to keys from now on
        return page


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what is missing, instead of skipping, where there is no Chromium."""
    ours = [item for item in items if "tests/browser" in str(item.path)]
    if ours and not os.access(CHROMIUM, os.X_OK):
        pytest.exit(
            f"no Chromium at {CHROMIUM}: apt-get install chromium, or name one with CHROMIUM=PATH", returncode=4
        )


@pytest.fixture(scope="session")
def base_url() -> None:
    """Return nothing: addresses are whole here. The plugin's own fixture is of a kind that pytest deprecates."""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": CHROMIUM, "args": list(QUIET)}


@pytest.fixture(scope="session")
def served(settings: Settings, migrated: Engine) -> Iterator[tuple[str, Flask]]:  # noqa: ARG001 - it needs the tables
    """The application, answering on a port of its own."""
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", app
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions[EXTENSION].close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(COMMAND) as sandbox:
        yield sandbox


@pytest.fixture
def console(
    served: tuple[str, Flask], sessions: Sessions, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Console:
    """The console on an empty database; nothing that an earlier test counted is kept."""
    monkeypatch.setattr(minute_cache, "FRESH_SECONDS", 0.0)
    url, app = served
    client, triager = (
        app.test_client(),
        Triager(sessions, active(), frozenset(), sandbox, triage, announce=lambda _: None),
    )
    with sessions.begin() as session:
        facilities.register(session, FACILITY)
        authorization = {"Authorization": f"Bearer {keys.issue(session, role='submitter', facility=FACILITY)[1]}"}

    def triage_all() -> None:
        for lane in LANES:
            while triager.triage_waiting(lane):
                pass

    def post(body: dict[str, Any]) -> str:
        answer = client.post("/v1/intakes", json=body, headers=authorization)
        triage_all()
        found = client.get(answer.headers["Location"], headers=authorization).json
        referral_id = str(found["referral"]["links"]["self"]).rpartition("/")[2]
        with sessions() as session:
            REFERENCES[referral_id] = session.scalars(
                select(Referral.reference).where(Referral.id == referral_id)
            ).one()
        return referral_id

    return Console(url, sessions, post, triage_all)


@pytest.fixture
def operator(console: Console, page: Page) -> Page:
    """The page of an operator who has signed in."""
    return console.sign_in(page)


@pytest.fixture
def another(console: Console, browser: Browser) -> Iterator[Page]:
    """The page of another operator, in a browser profile of their own."""
    context: BrowserContext = browser.new_context()
    yield console.sign_in(context.new_page(), name=OTHER)
    context.close()


def reference(referral_id: str) -> str:
    """Return what people call a referral by."""
    return REFERENCES[referral_id]
