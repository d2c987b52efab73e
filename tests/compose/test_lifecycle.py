"""The stack is scaled, taken down and brought up again, and keeps what it has; test_release_before replaces it."""

import time
from collections.abc import Iterator

import pytest

from tests.driver.client import Client
from tests.driver.load import History, Tenant, load
from tests.driver.verdict import assert_each_routed_once

from .stack import Stack


@pytest.fixture(scope="module")
def scaled(stack: Stack) -> Iterator[Stack]:
    """Two of the API and three routine workers, for the tests that come after the first."""
    stack.up("--scale", "api=2", "--scale", "worker-routine=3")
    yield stack
    stack.up("--remove-orphans")


def test_down_and_up_keep_every_intake(stack: Stack, submitter: Client, operator: Client) -> None:
    with load(History("down", [Tenant(submitter, operator)])) as history:
        time.sleep(3)
    stack.compose("down")
    assert stack.containers() == []
    stack.up()

    assert_each_routed_once(history)


def test_more_of_each_share_the_work(scaled: Stack, submitter: Client, operator: Client) -> None:
    with load(History("scaled", [Tenant(submitter, operator)])) as history:
        time.sleep(5)

    proxied = scaled.compose("logs", "--no-log-prefix", "--since", "10s", "nginx")
    addresses = [container["NetworkSettings"]["Networks"] for container in scaled.containers("api")]
    served = [
        network["IPAddress"] in proxied
        for networks in addresses
        for name, network in networks.items()
        if "front" in name
    ]
    assert served == [True, True]
    assert len(scaled.containers("worker-routine")) == 3
    assert_each_routed_once(history)
