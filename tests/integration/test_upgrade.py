"""A home that release 0.1.0 has filled, by its own code: what it decided reads, shows and escalates as before."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import release_before
from tests.api.test_server import free_port
from tests.integration.test_backup import database
from tests.referrals import RED_FLAG, request, up

CALM: dict[str, Any] = {
    "patient": {"mrn": "MRN-2", "birth_date": "1980-01-01"},
    "encounter": {"callback_phone": "020 7946 0999", "free_text": "He limps.", "source": "gp"},
    "symptoms": {"cannot_lift_leg_supine": "present", "side": "left"},
}
DUE = "update referrals set escalate_at = now() - interval '1 second' where id = %s"
SECONDS = 30


@dataclass(frozen=True)
class Home:
    """The upgraded service: a function that asks with a key of a role, and referrals as release 0.1.0 showed them."""

    ask: Callable[..., tuple[int, Any]]
    urgent: dict[str, Any]
    calm: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("upgrade")
    home, port = folder / "home", str(free_port())
    code = release_before.unpack(folder / "code")
    of_before: dict[str, Any] = {"cwd": code, "env": release_before.environment(code)}
    with up(home, "--port", port, command=(sys.executable, "-m", "services.cli"), **of_before) as running:
        keys = running.keys()
        ask = asker(running.url, keys)
        before = [triaged(ask, form) for form in (RED_FLAG, CALM)]
        assert running.stop() == 0
    with up(home, "--port", port) as running:
        yield Home(asker(running.url, keys), *before, folder=home)


def asker(url: str, keys: dict[str, str]) -> Callable[..., tuple[int, Any]]:
    return lambda role, path, body=None: request(url + path, keys[role], body)


def triaged(ask: Callable[..., tuple[int, Any]], form: dict[str, Any]) -> dict[str, Any]:
    """Post a form and return the referral that it became."""
    status, intake = ask("submitter", "/v1/intakes", form)
    assert status in (200, 202), intake
    deadline = time.monotonic() + SECONDS
    while not intake.get("referral") and time.monotonic() < deadline:
        time.sleep(0.1)
        _, intake = ask("submitter", f"/v1/intakes/{intake['id']}")
    found: dict[str, Any] = ask("operator", intake["referral"]["links"]["self"])[1]
    return found


def read(home: Home, referral: dict[str, Any]) -> dict[str, Any]:
    status, found = home.ask("operator", referral["links"]["self"])
    assert status == 200
    return dict(found)


@pytest.mark.timeout(300)  # two starts
def test_it_reads_and_shows_as_before(upgraded: Home) -> None:
    for before in (upgraded.urgent, upgraded.calm):
        now = read(upgraded, before)
        same = before.keys() - {"decision", "imaging"}
        assert {name: now[name] for name in same} == {name: before[name] for name in same}
        assert now["decision"] == before["decision"]
        assert now["decision"]["protocol"]["version"] == "2026.1.0"
        assert now["imaging"] == before["imaging"]
        assert (now["contact_by"], now["contacted"], now["contact_overdue"]) == (None, None, False)
        assert "ambulance" not in now
        _, listed = upgraded.ask("operator", f"/v1/queues/{before['queue']}/referrals")
        assert now in listed["referrals"]
        status, intake = upgraded.ask("submitter", before["links"]["intake"])
        assert (status, intake["decision"]) == (200, before["decision"])


def test_its_form_is_read_in_the_words_of_its_own_protocol(upgraded: Home) -> None:
    status, form = upgraded.ask("operator", f"{upgraded.calm['links']['self']}/form")
    assert (status, form["contact"]["callback_phone"], form["free_text"]) == (200, "020 7946 0999", "He limps.")
    answers = {each["field"]: each["text"] for each in form["answers"]}
    assert answers["symptoms.side"] == "Left"


def test_it_escalates_as_before(upgraded: Home) -> None:
    first = upgraded.urgent
    with psycopg.connect(database(upgraded.folder)) as connection:
        connection.execute(DUE, (first["id"],))
    deadline = time.monotonic() + SECONDS
    while read(upgraded, first)["escalation_level"] == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    _, timeline = upgraded.ask("operator", first["links"]["events"])
    climbed = [event["data"] for event in timeline["events"] if event["type"] == "referral.escalated"]
    assert [(each["level"], each["action"]) for each in climbed] == [(1, "second_on_call")]


def test_it_is_worked_and_amended_by_what_is_new(upgraded: Home) -> None:
    first = upgraded.calm
    for queue in ("neurology", "urgent"):
        body = {"by": "Dr A. Okafor", "queue": queue, "reason": "Read again.", "confirm": True}
        status, moved = upgraded.ask("operator", f"{first['links']['self']}/reroute", body)
        assert status == 200, moved
    assert moved["priority"] in ("emergency", "urgent")
    assert moved["contact_by"] is not None
    assert moved["acknowledge_by"] <= first["acknowledge_by"]
    called = {"by": "Nurse B. Lind", "outcome": "reached"}
    status, contacted = upgraded.ask("operator", f"{first['links']['self']}/contacted", called)
    assert (status, contacted["contacted"]["outcome"]) == (200, "reached")
    second = triaged(upgraded.ask, {**CALM, "amends": first["intake_id"]})
    assert second["decision"]["protocol"]["version"] == "2026.2.0"
    assert second["links"]["supersedes"] == first["links"]["self"]
    assert second["contact_by"] is not None
