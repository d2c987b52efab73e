"""A department's own system hears of referrals, seen from outside: `referrals up`, the command, a receiver, the API."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.cli.admin.destinations import destinations
from services.cli.admin.parked import parked
from tests import receiver
from tests.receiver import Receiver, status
from tests.referrals import RED_FLAG, Up, referrals, request

WITHIN_SECONDS = 10
NOBODY = "0197c9a0-0000-7000-8000-000000000000"


@pytest.fixture
def department() -> Iterator[Receiver]:
    with receiver.receiver() as started:
        yield started


@pytest.fixture
def destination(home: Path, running: Up, department: Receiver) -> Iterator[dict[str, str]]:  # noqa: ARG001 - it has to run
    """The department's system as a destination of the queue `urgent`, for as long as a test."""
    made: dict[str, str] = json.loads(
        run(home, "destinations", "set", "urgent", department.url, "--insecure", "--json")
    )
    yield made
    referrals("destinations", "remove", made["id"], "--home", home)


def run(home: Path, *arguments: str) -> str:
    done = referrals(*arguments, "--home", home)
    assert done.returncode == 0, done.stderr
    return done.stdout


def post(running: Up, keys: dict[str, str]) -> dict[str, Any]:
    """Post a form and return the referral that it became."""
    code, intake = request(f"{running.url}/v1/intakes", keys["submitter"], RED_FLAG)
    assert code == 200
    referral: dict[str, Any] = intake["referral"]
    return referral


def listed(running: Up, keys: dict[str, str], which: str) -> list[dict[str, Any]]:
    deliveries: list[dict[str, Any]] = request(f"{running.url}/v1/deliveries?status={which}", keys["operator"])[1][
        "deliveries"
    ]
    return deliveries


def test_a_red_flag_is_with_its_department_within_seconds(
    running: Up, keys: dict[str, str], department: Receiver, destination: dict[str, str]
) -> None:
    referral = post(running, keys)
    (queued,) = department.wait_for(1, WITHIN_SECONDS)
    payload = queued.verified(destination["secret"])
    assert (payload["type"], payload["data"]["referral_id"]) == ("referral.queued", referral["id"])
    by = {"by": "Dr A. Okafor"}
    assert request(f"{running.url}{referral['links']['self']}/acknowledge", keys["operator"], by)[0] == 200
    _, acknowledged = department.wait_for(2, WITHIN_SECONDS)
    assert acknowledged.verified(destination["secret"])["type"] == "referral.acknowledged"
    assert "Okafor" not in acknowledged.body.decode()


def test_what_a_department_refused_arrives_after_somebody_had_it_retried(
    home: Path, running: Up, keys: dict[str, str], department: Receiver, destination: dict[str, str]
) -> None:
    department.answer = status(410)
    post(running, keys)
    post(running, keys)
    deadline = time.monotonic() + WITHIN_SECONDS
    while len(listed(running, keys, "parked")) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert f"{destination['id']}  disabled" in run(home, "destinations", "list")
    left = [json.loads(line) for line in run(home, "parked", "list", "--json").splitlines()]
    assert {each["error"] for each in left} <= {"gone", "destination_disabled"}
    assert len(run(home, "parked", "list").splitlines()) == len(left) == 2

    department.answer = status(200)
    assert run(home, "parked", "retry", "--all", "--destination", NOBODY) == "0 deliveries are due again\n"
    assert run(home, "parked", "retry", "--all", "--destination", destination["id"]) == "2 deliveries are due again\n"
    assert run(home, "parked", "retry", left[0]["id"]) == "0 deliveries are due again\n"
    deadline = time.monotonic() + WITHIN_SECONDS
    while not {each["id"] for each in left} <= set(department.ids[1:]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert {each["id"] for each in left} <= set(department.ids[1:])
    assert run(home, "parked", "list") == ""


def test_a_frozen_broker_keeps_no_red_flag_from_its_department(
    running: Up, keys: dict[str, str], department: Receiver, destination: dict[str, str]
) -> None:
    valkey = running.processes()["valkey"]
    os.kill(valkey, signal.SIGSTOP)
    try:
        referral = post(running, keys)
        (queued,) = department.wait_for(1, 2 * WITHIN_SECONDS)
    finally:
        os.kill(valkey, signal.SIGCONT)
    assert queued.verified(destination["secret"])["data"]["referral_id"] == referral["id"]


def test_a_person_lets_go_of_what_need_not_arrive(
    home: Path, running: Up, keys: dict[str, str], department: Receiver, destination: dict[str, str]
) -> None:
    assert destination
    department.answer = status(404)
    referral = post(running, keys)
    deadline = time.monotonic() + WITHIN_SECONDS
    while not (left := listed(running, keys, "parked")) and time.monotonic() < deadline:
        time.sleep(0.1)
    why = ("--by", "Dr A. Okafor", "--reason", "told by telephone")
    assert run(home, "parked", "discard", left[0]["id"], *why) == "1 deliveries are discarded\n"
    assert run(home, "parked", "discard", left[0]["id"], *why) == "0 deliveries are discarded\n"
    _, timeline = request(f"{running.url}{referral['links']['self']}/events", keys["operator"])
    assert [event["type"] for event in timeline["events"]] == [
        "referral.queued",
        "delivery.parked",
        "delivery.discarded",
    ]


def test_a_destination_is_set_once_tested_and_removed(
    home: Path, running: Up, keys: dict[str, str], department: Receiver
) -> None:
    unknown = referrals("destinations", "set", department.url, "--facility", "st-marys", "--insecure", "--home", home)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    run(home, "facilities", "add", "st-marys")
    own = run(home, "destinations", "set", department.url, "--facility", "st-marys", "--insecure")
    run(home, "destinations", "remove", own.split()[0])
    first = run(home, "destinations", "set", "urgent", department.url, "--facility", "st-marys", "--insecure")
    made, secret = re.fullmatch(r"(\S+)  (whsec_\S+)\n", first).groups()  # type: ignore[union-attr]
    again = run(home, "destinations", "set", "urgent", department.url, "--facility", "st-marys", "--insecure")
    assert again == f"{made}  keeps its secret\n"
    shown = run(home, "destinations", "list")
    assert f"{made}  active" in shown
    assert "whsec_" not in shown

    assert run(home, "destinations", "test", made).startswith("answers 200 after ")
    assert department.received[-1].verified(secret)["type"] == "psoas.test"
    department.answer = status(503)
    failed = referrals("destinations", "test", made, "--home", home)
    assert (failed.returncode, failed.stdout.startswith("answers 503 after ")) == (1, True)

    fresh = json.loads(
        run(
            *(home, "destinations", "set", "urgent", department.url),
            *("--facility", "st-marys", "--insecure", "--new-secret", "--json"),
        )
    )
    assert (fresh["id"], fresh["secret"] != secret) == (made, True)
    assert run(home, "destinations", "remove", made) == f"removed {made}; 0 deliveries to it are parked\n"
    assert made not in run(home, "destinations", "list")
    heard = len(department.received)
    post(running, keys)
    assert len(department.received) == heard
    for command in ("remove", "test"):
        assert f"no destination {made}" in referrals("destinations", command, made, "--home", home).stderr


@pytest.mark.parametrize(
    "url",
    [
        *("http://his.example/", "ftp://his.example/", "his.example", "https://", "https://a b/", "https://ü.example/"),
        *("https://user:word@his.example/", "https://his.example/#part", "https://his.example:99999/", "https://[::1/"),
    ],
)
def test_a_url_that_no_referral_should_go_to_is_refused(url: str) -> None:
    refused = CliRunner().invoke(destinations, ["set", "urgent", url])
    assert (refused.exit_code, "Invalid value for URL" in refused.output) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        *(("retry",), ("retry", NOBODY, "--all"), ("retry", NOBODY, "--destination", NOBODY), ("retry", "x")),
        *(
            ("discard", NOBODY),
            ("discard", "--by", "A", "--reason", "B"),
            ("discard", NOBODY, "--by", " ", "--reason", "B"),
        ),
    ],
)
def test_a_decision_that_nobody_could_follow_is_refused(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(parked, arguments).exit_code == 2
