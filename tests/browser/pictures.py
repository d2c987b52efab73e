"""Takes the pictures of the console for the documentation: every page, light and dark, on a desktop and on a phone.

Cases are the protocol's worked ones at fixed times before a fixed moment, so the same code gives the same pictures.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Engine, text
from werkzeug.serving import make_server

from services.api.app import create_app
from services.api.context import EXTENSION
from services.api.openapi.examples import form_of
from services.cli.demo.shift import DONE, EARLIER_MINUTES, Step, story
from services.worker.triage.sandbox import Sandbox
from services.worker.triage.sandbox_process import COMMAND
from services.worker.triage.triager import Triager
from shared.clinical.triage import triage
from shared.migrations.migrate import upgrade
from shared.monitoring.periodic import ROLES
from shared.platform.database import Sessions, create_engine, create_sessions
from shared.platform.settings import Settings
from shared.platform.task_queues import LANES
from shared.protocols import ACTIVE, active, cases
from shared.store.access import facilities, keys
from shared.store.operations.heartbeats import record_heartbeat
from tests.browser.conftest import CHROMIUM, QUIET, Silent
from tests.conftest import IDENTITY_KEYS, LOOKUP_KEY
from tests.servers import servers

IMAGES = Path(__file__).parents[2] / "docs" / "images"
NOW = datetime(2026, 3, 12, 14, 2, tzinfo=UTC)
FACILITY = "st-marys"
MOST_BYTES = 150_000
SMOOTH = ("--disable-lcd-text", "--font-render-hinting=none", "--force-color-profile=srgb")  # alike on every screen
SIZES = {"desktop": {"width": 1120, "height": 760}, "phone": {"width": 390, "height": 844}}
PAGES = {
    "board": "/console",
    "wall": "/console?view=wall",
    "queue": "/console/queues/orthopedics",
    "referral": "/console/referrals/{emergency}",
    "handover": "/console/handover",
    "statistics": "/console/statistics?since=24h",
    "failed": "/console/failed",
    "try": "/console/try",
    "protocol": "/console/protocol",
    "health": "/console/health",
}
CLOCK = (
    "create or replace function fixed.now() returns timestamptz language sql stable as $$ select timestamptz '{}' $$"
)
# Before the tables are made, so that their defaults call it, too.
RANDOM = "create function fixed.gen_random_uuid() returns uuid language sql volatile as $$ select {} $$"
OWN_CLOCK = (
    "create schema fixed",
    CLOCK.format(NOW),
    "create sequence fixed.steps",
    RANDOM.format("cast(md5(cast(nextval('fixed.steps') as text)) as uuid)"),  # references are made of these
    "alter database psoas set search_path = public, fixed, pg_catalog",
)


class Time:
    """The time for the application and for its database; it stands still until it is set."""

    def __init__(self, engine: Engine) -> None:
        """Begin at NOW."""
        self._engine, self.now = engine, NOW
        with engine.begin() as connection:
            for statement in OWN_CLOCK:
                connection.execute(text(statement))

    def set(self, moment: datetime) -> None:
        """Let it be `moment`."""
        self.now = moment
        with self._engine.begin() as connection:
            connection.execute(text(CLOCK.format(moment)))


@contextmanager
def console(settings: Settings, time: Time) -> Iterator[tuple[str, Flask]]:
    """Serve the console by that time."""
    app = create_app(settings, now=lambda: time.now)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", app
    finally:
        server.shutdown()
        thread.join()
        app.extensions[EXTENSION].close()


@dataclass(frozen=True)
class Happening:
    """Something that happens on the day of the pictures: a form that comes, or a step of a person."""

    at: datetime
    case: str
    form: dict[str, Any] | None = None
    step: Step | None = None


def day() -> list[Happening]:
    """Return what happens, in its order: the forms of the demo, and what its people do with them."""
    worked = {case["id"]: case for case in cases(ACTIVE)}
    calm = [case for case in worked.values() if case["expect"]["queue"] != "urgent"]
    came = [
        (name, form_of(case), *story(name, case["expect"]["priority"], place))
        for place, (name, case) in enumerate(worked.items())
    ]
    for place, minutes in enumerate(EARLIER_MINUTES):
        form = form_of(calm[place % len(calm)])
        patient = form["patient"] | {"mrn": f"DEMO-E{place:02}"}
        came.append((f"E{place:02}", {**form, "patient": patient}, minutes, DONE[place % len(DONE)]))
    happenings = []
    for name, form, minutes, steps in came:
        received = NOW - timedelta(minutes=minutes)
        happenings.append(Happening(received, name, form=form))
        for number, step in enumerate(steps, 1):
            happenings.append(Happening(received + (NOW - received) * number / (len(steps) + 2), name, step=step))
    return sorted(happenings, key=lambda each: each.at)


def live_through(app: Flask, sessions: Sessions, time: Time) -> dict[str, str]:
    """Let the day happen through the API; return the referrals' ids by case."""
    client, ids = app.test_client(), dict[str, str]()
    with sessions.begin() as session:
        facilities.register(session, FACILITY)
        sender, operator = (
            {"Authorization": f"Bearer {keys.issue(session, role=role, **scope)[1]}"}
            for role, scope in (("submitter", {"facility": FACILITY}), ("operator", {}))
        )
    with Sandbox(COMMAND) as sandbox:
        triager = Triager(sessions, active(), frozenset(), sandbox, triage, announce=lambda _: None)
        for each in day():
            time.set(each.at)
            if each.form:
                where = client.post("/v1/intakes", json=each.form, headers=sender).headers["Location"]
                for lane in LANES:
                    while triager.triage_waiting(lane):
                        pass
                found = client.get(where, headers=sender).json or {}
                ids[each.case] = str(found["referral"]["links"]["self"]).rpartition("/")[2]
            elif each.step:
                path = f"/v1/referrals/{ids[each.case]}/{each.step.action}"
                answer = client.post(path, json={"by": each.step.by, **each.step.words}, headers=operator)
                assert answer.status_code == 200, answer.text
    time.set(NOW)
    return ids


def take(page: Page, name: str) -> None:
    """Write one picture."""
    file = IMAGES / f"{name}.png"
    page.screenshot(path=file, animations="disabled", caret="hide")
    assert file.stat().st_size <= MOST_BYTES, f"{file} has {file.stat().st_size} bytes"


def take_all(url: str, key: str, ids: dict[str, str]) -> None:
    """Write every picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *SMOOTH])
        for scheme in ("light", "dark"):
            for size, viewport in SIZES.items():
                context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB", timezone_id="UTC")
                page = context.new_page()
                page.clock.set_fixed_time(NOW)
                page.goto(f"{url}/console/sign-in")
                take(page, f"sign-in-{scheme}-{size}")
                page.get_by_role("textbox", name="Key").fill(key)
                page.get_by_role("textbox", name="Your name").fill("Dr A. Okafor")
                page.get_by_role("button", name="Sign in").click()
                for name, path in PAGES.items():
                    page.goto(url + path.format(emergency=ids["V01"]))
                    take(page, f"{name}-{scheme}-{size}")
                context.close()
        browser.close()


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with servers() as started:
        settings = Settings(started.database_url(), started.redis_url, IDENTITY_KEYS, LOOKUP_KEY)
        engine = create_engine(settings)
        time = Time(engine)
        engine.dispose()  # what connects from now on has the search path
        upgrade(engine)
        sessions = create_sessions(engine)
        with console(settings, time) as (url, app):
            ids = live_through(app, sessions, time)
            with sessions.begin() as session:
                for role in ROLES:
                    record_heartbeat(session, f"{role}-1", role, "2026.1.0")
                key = keys.issue(session, role="operator")[1]
            take_all(url, key, ids)
        engine.dispose()
