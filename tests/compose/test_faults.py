"""What breaks while forms come in loses none of them, doubles none, and keeps no red flag waiting."""

import time

import pytest

from tests.driver.client import Client
from tests.driver.forms import form_for
from tests.driver.load import History, Tenant, load
from tests.driver.verdict import assert_each_routed_once

from .stack import Stack

RED_FLAG_SECONDS = 2


def seconds_to_worklist(submitter: Client, operator: Client, mrn: str) -> float:
    """Post a red flag; return the time from its 202 until it stands in the urgent worklist."""
    posted = submitter.post_intake(form_for("urgent", mrn))
    assert posted.status == 202, posted
    began = time.monotonic()
    while submitter.get(posted.body["links"]["self"])["status"] == "received":
        assert time.monotonic() - began < 30, "a red flag stands in no worklist"
        time.sleep(0.05)
    seconds = time.monotonic() - began
    assert posted.body["id"] in {referral["intake_id"] for referral in operator.worklist("urgent")}
    return seconds


def test_without_redis_forms_are_taken_and_red_flags_routed(stack: Stack, submitter: Client, operator: Client) -> None:
    stack.compose("stop", "redis")
    try:
        with load(History("no-redis", [Tenant(submitter, operator)])) as history:
            waits = [seconds_to_worklist(submitter, operator, f"red-{number}") for number in range(10)]
        ready = submitter.request("GET", "/health/ready")
    finally:
        stack.up()

    assert max(waits) <= RED_FLAG_SECONDS
    assert {answer.status for answer in history.answers()} == {202}
    assert (ready.status, ready.body["degraded"]) == (200, ["broker"])
    assert_each_routed_once(history)


@pytest.mark.parametrize("service", ["worker-urgent", "worker-routine", "watchman"])
def test_a_killed_process_loses_nothing(stack: Stack, submitter: Client, operator: Client, service: str) -> None:
    with load(History(f"kill-{service}", [Tenant(submitter, operator)])) as history:
        time.sleep(2)
        stack.compose("kill", "--signal", "KILL", service)
        try:
            waits = [seconds_to_worklist(submitter, operator, f"red-{service}-{number}") for number in range(10)]
        finally:
            stack.up()
        time.sleep(2)

    assert max(waits) <= RED_FLAG_SECONDS
    assert_each_routed_once(history)


def test_a_crashed_worker_comes_back_by_itself(stack: Stack, submitter: Client, operator: Client) -> None:
    with load(History("crash", [Tenant(submitter, operator)])) as history:
        for service in ("worker-urgent", "worker-routine", "worker-urgent-delivery", "worker-delivery", "watchman"):
            before = stack.containers(service)[0]["RestartCount"]
            stack.compose("exec", "-T", service, "python", "-c", "import os; os.kill(-1, 9)")
            deadline = time.monotonic() + 60
            while stack.containers(service)[0]["RestartCount"] == before:
                assert time.monotonic() < deadline, f"{service} stays down"
                time.sleep(0.5)
        stack.up()

    assert_each_routed_once(history)


def test_while_postgres_is_away_clients_are_told_to_come_back(
    stack: Stack, submitter: Client, operator: Client
) -> None:
    with load(History("postgres", [Tenant(submitter, operator)])) as history:
        time.sleep(2)
        stack.compose("stop", "postgres")
        time.sleep(5)
        stack.compose("start", "postgres")
        time.sleep(5)
        stack.compose("restart", "postgres")
        time.sleep(2)

    stack.wait_until_healthy()
    away = [answer for answer in history.answers() if answer.status == 503]
    assert away
    assert all(answer.headers["retry-after"] for answer in away)
    assert {answer.status for answer in history.answers()} <= {202, 503}
    assert_each_routed_once(history)


def test_restarting_everything_loses_nothing(stack: Stack, submitter: Client, operator: Client) -> None:
    with load(History("restart", [Tenant(submitter, operator)])) as history:
        time.sleep(2)
        stack.compose("restart")
        stack.up()
        time.sleep(2)

    assert_each_routed_once(history)
