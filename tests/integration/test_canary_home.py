"""Marked identities pass through every path of a fresh home, and stand nowhere afterwards but sealed."""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest
from redis import Redis

from services.embedded.servers.binaries import find_postgres
from shared.platform.data_keys.encoding import KEY_BYTES
from tests import receiver
from tests.referrals import Up, referrals, request, up

pytestmark = pytest.mark.timeout(600)  # all of it is done once, in the first test

MARK = "qzcanary"
TELLTALES = (MARK, "1957-08-29", "0199 555 0142")
FORM = {
    "encounter": {
        "callback_phone": "0199 555 0142",
        "referrer_contact": f"{MARK} referrer",
        "free_text": f"{MARK} text",
        "external_id": f"{MARK}-external-id",
    },
    "patient": {
        "mrn": f"{MARK}-mrn",
        "family_name": f"{MARK}-family",
        "given_name": f"{MARK}-given",
        "birth_date": "1957-08-29",
    },
    "symptoms": {"cannot_lift_leg_supine": "present", "onset": "sudden", "bladder_change": "new_or_worse"},
}
NOBODY = "0197c9a0-0000-7000-8000-000000000000"


@dataclass
class Left:
    """What a home, its processes and what they sent have left behind, by where it is."""

    texts: dict[str, bytes] = field(default_factory=dict)
    shown: str = ""  # to those who may see it

    def found(self) -> list[tuple[str, str]]:
        marks = [(telltale, telltale.encode().lower()) for telltale in TELLTALES]
        return [(place, mark) for place, text in self.texts.items() for mark, sought in marks if sought in text.lower()]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Everything is done once, then stopped, so that what was in memory is in the files."""
    folder, left = tmp_path_factory.mktemp("canary"), Left()
    home = folder / "home"
    with receiver.receiver() as collector:
        environment = os.environ | {
            "LOG_LEVEL": "INFO",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        with up(home, env=environment) as running:
            keys = running.keys()
            work(running, keys, left)
            console(running, keys, left)
            export(home, folder, left)
            surroundings(running, home, left)
            assert running.stop(seconds=40) == 0
            left.texts["log"] = "".join(running.said).encode()
        left.texts["traces"] = b"".join(each.body for each in collector.received)
    for file in home.rglob("*"):
        if file.is_file() and "secrets" not in file.parts:
            left.texts[str(file.relative_to(home))] = file.read_bytes()
    return left


def work(running: Up, keys: dict[str, str], left: Left) -> None:
    """Post, read, search, act and fail as senders and staff do."""
    sender, operator = keys["submitter"], keys["operator"]
    url = running.url
    status, intake = request(f"{url}/v1/intakes", sender, FORM, {"Idempotency-Key": f"{MARK}-key"})
    assert status == 200, intake
    referral = f"{url}{intake['referral']['links']['self']}"
    left.shown += json.dumps([request(referral, operator), request(f"{referral}/form", operator)])
    found = request(f"{url}/v1/referrals/search", operator, {"mrn": FORM["patient"]["mrn"]})
    left.shown += json.dumps(found)
    assert found[0] == 200
    written(referral, operator, keys["submitter"], left)
    corrected = {"by": "A. Clerk", "reason": f"{MARK} reason", "patient": {"family_name": f"{MARK}-other"}}
    assert request(f"{referral}/correct-identity", operator, corrected)[0] == 200
    for number, (path, body) in enumerate(
        [
            ("/v1/intakes", {**FORM, "symptoms": {"onset": MARK}}),
            ("/v1/intakes", {**FORM, f"{MARK} Smith": 1}),
            ("/v1/intakes", {**FORM, "history": {}}),
            (f"/v1/{MARK}", None),
            (f"/v1/intakes/{MARK}?mrn={MARK}", None),
            (f"/v1/queues?name={MARK}", None),
            (f"/v1/referrals/{NOBODY}/acknowledge", {"by": MARK}),
            ("/v1/referrals/search", {"mrn": f"{MARK}-unknown", "name": MARK}),
        ]
    ):
        status, answer = request(
            f"{url}{path}",
            operator if "referrals" in path else sender,
            body,
            {"X-Request-ID": f"{MARK}-record-number-1"},
        )
        assert status >= 400, (number, answer)
        left.texts[f"error {number}"] = json.dumps(answer).encode()
    left.texts["unknown key"] = json.dumps(request(f"{url}/v1/form", f"rk_{MARK}_{MARK}")).encode()
    for path in ("/v1/events", "/v1/deliveries?status=due", "/v1/queues"):
        status, answer = request(f"{url}{path}", keys["auditor"] if "events" in path else operator)
        left.texts[path] = json.dumps(answer).encode()


def written(referral: str, operator: str, sender: str, left: Left) -> None:
    """Write words in every action that does not end the case, and read them."""
    by = {"by": "A. Doctor"}
    for action, body in (
        ("acknowledge", {"note": f"{MARK} note"}),
        ("contacted", {"outcome": "left_message", "note": f"{MARK} call"}),
        ("release", {"reason": f"{MARK} release"}),
        ("reroute", {"reason": f"{MARK} move", "queue": "orthopedics", "confirm": True}),
        ("acknowledge", {"note": f"{MARK} second note"}),
        ("take-over", {"by": "B. Doctor", "reason": f"{MARK} take over"}),
    ):
        done = request(f"{referral}/{action}", operator, {**by, **body})
        assert done[0] == 200, done
    timeline = json.dumps(request(f"{referral}/events", operator))
    assert timeline.count(MARK) == 6, timeline
    named = json.dumps(request(f"{referral}/events", sender))
    assert named.count(MARK) == 3, named
    left.shown += timeline + named


def console(running: Up, keys: dict[str, str], left: Left) -> None:
    """Sign in, and open every page that a link of the board leads to."""
    opener, page = signed_in(running, keys["operator"])
    paths = {"/console/statistics", "/console/search", "/console/queues/urgent"} | set(
        re.findall(r'href="(/console[^"#]*)"', page)
    )
    for path in sorted(paths - {"/console/sign-out"}):
        try:
            with opener.open(Request(f"{running.url}{path}"), timeout=20) as answer:  # noqa: S310 - our own service
                left.shown += answer.read().decode(errors="replace")
        except HTTPError as error:
            with error:
                left.texts[f"console {path}"] = error.read()
    auditor, _ = signed_in(running, keys["auditor"])  # who sees no words that people wrote
    with auditor.open(f"{running.url}/console/statistics", timeout=20) as answer:
        left.texts["statistics"] = answer.read()


def signed_in(running: Up, key: str) -> tuple[OpenerDirector, str]:
    """Return a browser that is signed in with a key, and the board that it sees."""
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    form = urlencode({"key": key, "name": "R. Haile"}).encode()
    with opener.open(f"{running.url}/console/sign-in", form, timeout=20) as answer:
        return opener, answer.read().decode()


def export(home: Path, folder: Path, left: Left) -> None:
    """Write what operators take away: a backup without its keys, the access log, the audit."""
    done = referrals("backup", folder / "psoas.dump", "--home", home)
    assert done.returncode == 0, done.stderr
    restore = str(find_postgres() / "pg_restore")
    plain = subprocess.run([restore, "--file=-", folder / "psoas.dump"], capture_output=True, timeout=60, check=True)
    assert b"COPY public.intakes" in plain.stdout
    left.texts["backup"] = plain.stdout
    for words in (("access", "export"), ("audit", "--json"), ("doctor",), ("keys", "list"), ("destinations", "list")):
        done = referrals(*words, "--home", home)
        left.texts[" ".join(words)] = (done.stdout + done.stderr).encode()
    assert b"AuditEvent" in left.texts["access export"]


def surroundings(running: Up, home: Path, left: Left) -> None:
    """Read what Redis holds and what Prometheus is answered."""
    environment = json.loads((home / "running.json").read_text())["environment"]
    with Redis.from_url(environment["REDIS_URL"]) as broker:
        for name in broker.keys("*"):
            left.texts[f"redis {name.decode()}"] = name + (broker.dump(name) or b"")
    asked = Request(f"{running.url}/metrics", headers={"Authorization": f"Bearer {environment['METRICS_TOKEN']}"})  # noqa: S310
    with build_opener().open(asked, timeout=20) as answer:
        left.texts["metrics"] = answer.read()


def test_those_who_may_see_it_have_seen_it(left: Left) -> None:
    assert [telltale for telltale in TELLTALES if telltale not in left.shown] == []


def test_every_place_was_looked_at(left: Left) -> None:
    places = set(left.texts)
    assert {"log", "traces", "metrics", "backup", "statistics", "access export"} <= places
    assert all(left.texts[place] for place in ("log", "traces", "metrics", "backup"))
    assert any("pg_wal" in place for place in places)
    assert any(place.startswith("redis ") for place in places)
    assert any(place.startswith("valkey") for place in places)
    assert b"/v1/intakes" in left.texts["log"]
    assert KEY_BYTES == 32


def test_no_identity_stands_anywhere_in_the_clear(left: Left) -> None:
    assert left.found() == []
