"""The application on a real database, callers with keys of every role, and triage when a test asks for it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from services.api.app import create_app
from services.api.context import EXTENSION, context_of
from services.worker.triage.sandbox import Sandbox
from services.worker.triage.sandbox_process import COMMAND
from services.worker.triage.triager import Triager
from shared.clinical.referral.lifecycle import QUEUES
from shared.clinical.triage import triage
from shared.platform.ciphers import identity_cipher
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.platform.task_queues import LANES
from shared.protocols import active
from shared.store.access import facilities, keys
from tests.cases import case_for

FACILITY = "st-marys"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass
class Caller:
    """Somebody with a key, or without one."""

    client: FlaskClient
    key: str | None
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=self._with(headers), buffered=True)

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.send(path, json.dumps(body).encode(), **headers)

    def send(self, path: str, content: bytes, **headers: str) -> TestResponse:
        """Post `content` as it is."""
        return self.client.post(path, data=content, headers=self._with({"Content-Type": "application/json"} | headers))

    def _with(self, headers: dict[str, str]) -> dict[str, str]:
        authorization = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return authorization | {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture(scope="session")
def app(service_settings: Settings) -> Iterator[Flask]:
    """The application, as the service's own role. Whoever calls it has a key, which empties the database first."""
    app = create_app(service_settings, now=lambda: NOW)
    yield app
    app.extensions[EXTENSION].close()


@pytest.fixture
def caller(app: Flask, sessions: Sessions) -> Callable[..., Caller]:
    """A function that issues a key and returns its holder; no wrong key of another test counts any more."""
    context_of(app).failed_authentications.store()
    with sessions.begin() as session:
        session.execute(text("delete from failed_authentications"))

    def of(role: str | None, **key: Any) -> Caller:
        if role is None:
            return Caller(app.test_client(), None)
        with sessions.begin() as session:
            if key.get("facility"):
                facilities.register(session, key["facility"], key.pop("kind", facilities.LIVE))
            return Caller(app.test_client(), keys.issue(session, role=role, **key)[1])

    return of


@pytest.fixture
def submitter(caller: Callable[..., Caller]) -> Caller:
    return caller("submitter", facility=FACILITY)


@pytest.fixture
def operator(caller: Callable[..., Caller]) -> Caller:
    return caller("operator")


@pytest.fixture
def triage_all(sessions: Sessions) -> Iterator[Callable[[], None]]:
    """A function that triages everything that waits, as the workers do."""
    with Sandbox(COMMAND) as sandbox:
        triager = Triager(sessions, active(), frozenset(), sandbox, triage, announce=lambda _: None)

        def until_nothing_waits() -> None:
            for lane in LANES:
                while triager.triage_waiting(lane):
                    pass

        yield until_nothing_waits


@pytest.fixture
def configured(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that gives the application other settings, as a restart would, with the cipher that follows."""

    def to(**changed: Any) -> None:
        own = context_of(app)
        settings = replace(own.settings, **changed)
        other = replace(own, settings=settings, cipher=identity_cipher(settings))
        monkeypatch.setitem(app.extensions, EXTENSION, other)

    return to


@pytest.fixture
def referral(submitter: Caller, operator: Caller, triage_all: Callable[[], None]) -> Callable[..., dict[str, Any]]:
    """A function that posts a form which belongs in a queue, and returns the referral it becomes."""

    def of(queue: str, *, sender: Caller = submitter, mrn: str = "MRN-1") -> dict[str, Any]:
        assert queue in QUEUES
        intake = sender.post("/v1/intakes", case_for(queue).body(mrn))
        triage_all()
        path = sender.get(intake.headers["Location"]).json["referral"]["links"]["self"]
        return operator.get(path).json

    return of
