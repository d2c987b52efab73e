"""The stack is scaled, replaced, taken down and brought up again, and keeps what it has."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver.client import Client
from tests.driver.load import History, Tenant, load
from tests.driver.verdict import assert_each_routed_once

from .stack import Stack, run

ROLES = ("api", "worker-urgent", "worker-routine", "worker-urgent-delivery", "worker-delivery", "watchman")


@pytest.fixture(scope="module")
def scaled(stack: Stack) -> Iterator[Stack]:
    """Two of the API and three routine workers, for the tests that come after the first."""
    stack.up("--scale", "api=2", "--scale", "worker-routine=3")
    yield stack
    stack.up("--remove-orphans")


@pytest.fixture
def next_image(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """Another image under the same name; its id."""
    name = stack.environment["PSOAS_IMAGE"]
    present = run("docker", "image", "inspect", "--format", "{{.Id}}", name).strip()
    (tmp_path / "Dockerfile").write_text(f"FROM {name}\nLABEL release=next\n")
    run("docker", "build", "--quiet", "--tag", name, str(tmp_path))
    built = run("docker", "image", "inspect", "--format", "{{.Id}}", name).strip()
    yield built
    run("docker", "tag", present, name)
    stack.up()
    run("docker", "image", "rm", "--no-prune", built)


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


def test_a_new_image_replaces_the_old_one_under_load(
    scaled: Stack, submitter: Client, operator: Client, next_image: str
) -> None:
    with load(History("roll", [Tenant(submitter, operator)])) as history:
        time.sleep(2)
        scaled.run("deploy/roll")
        time.sleep(2)

    assert [len(scaled.containers(role)) for role in ROLES] == [2, 1, 3, 1, 1, 1]
    assert {container["Image"] for role in ROLES for container in scaled.containers(role)} == {next_image}
    statuses = [answer.status for answer in history.answers()]
    # Who meets a process that is just leaving is told to come again, and does: 503, or 429 while the body arrives.
    assert set(statuses) <= {202, 429, 503}
    assert len(statuses) - statuses.count(202) <= len(statuses) // 50
    assert_each_routed_once(history)
