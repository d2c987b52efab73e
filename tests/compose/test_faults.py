"""What breaks while forms come in loses none of them, doubles none, and keeps no red flag waiting."""

import time

import pytest

from tests.driver.client import Answer, Client
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


# Of a killed routine worker, and of the others, tests/faults/processes.py tells the same at every length.
@pytest.mark.parametrize("service", ["worker-urgent", "watchman"])
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
        wait_for(history, 202)
        stack.compose("stop", "postgres")
        wait_for(history, 503)
        stack.compose("start", "postgres")
        wait_for(history, 202)
        stack.compose("restart", "postgres")
        stack.wait_until_healthy()
        wait_for(history, 202)

    away = [answer for answer in history.answers() if answer.status == 503]
    assert away
    assert all(answer.headers["retry-after"] for answer in away)
    assert {answer.status for answer in history.answers()} <= {202, 503}
    assert_each_routed_once(history)


def wait_for(history: History, status: int) -> None:
    """Wait until ten more forms are answered like that."""
    began, before = time.monotonic(), count(history, status)
    while count(history, status) < before + 10:
        assert time.monotonic() - began < 60, f"no more {status}"
        time.sleep(0.1)


def count(history: History, status: int) -> int:
    return sum(
        isinstance(each, Answer) and each.status == status for sent in list(history.sent) for each in sent.answers
    )


def test_restarting_everything_loses_nothing(stack: Stack, submitter: Client, operator: Client) -> None:
    with load(History("restart", [Tenant(submitter, operator)])) as history:
        time.sleep(2)
        stack.compose("restart")
        stack.up()
        time.sleep(2)

    assert_each_routed_once(history)
