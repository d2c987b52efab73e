"""The stack is rolled from the release before to this one and back, across real migrations, while forms are posted."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.migrations.head import HEAD
from tests import release_before
from tests.driver.client import Client
from tests.driver.load import History, Tenant, load
from tests.driver.verdict import assert_each_routed_once

from .stack import Stack, checked_often, run

PROJECT, IMAGE_BEFORE, IMAGE_TODAY = "psoas-test-release", "psoas:test-release-before", "psoas:test-release-today"
VERSION = "select max(version_num) from schema_version"
APIS = 2  # as a hospital has that wants no pause
MORE = 20  # forms that have to be taken after each step


@pytest.fixture
def before(environment: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    """The stack of the release before, healthy, on a port and volumes of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    own = {"COMPOSE_PROJECT_NAME": PROJECT, "PSOAS_IMAGE": IMAGE_BEFORE, "PSOAS_PORT": str(port)}
    own["SEALING_FORMAT"] = "1"  # what today's release seals, the release before has to open
    folder = tmp_path / "before"
    folder.mkdir()
    folder.chmod(0o755)  # containers read their configuration from it, each under its own user
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    unpacked = release_before.unpack(folder)
    own["COMPOSE_FILE"] = checked_often(unpacked, tmp_path / "checks.yml")
    stack = Stack(environment | own, unpacked)
    stack.compose("down", "--volumes", "--remove-orphans")  # what a killed run left
    try:
        stack.up("--build", "--scale", f"api={APIS}")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")
        run("docker", "image", "rm", "--force", "--no-prune", IMAGE_BEFORE, IMAGE_TODAY)


def test_it_rolls_forward_and_back_while_forms_are_posted(before: Stack, environment: dict[str, str]) -> None:
    assert HEAD > release_before.HEAD, "there is no migration to roll across"
    of_today = {"PSOAS_IMAGE": IMAGE_TODAY, "COMPOSE_FILE": environment["COMPOSE_FILE"]}
    today = replace(before, environment=before.environment | of_today, folder=release_before.ROOT)
    today.compose("build")
    hospital = Client(before.port, before.issue_key("--role", "submitter", "--facility", "st-marys"))
    operator = Client(before.port, before.issue_key("--role", "operator"))

    posted = History("release", [Tenant(hospital, operator)])
    with load(posted, rate=10, version=release_before.PROTOCOL) as history:
        history.wait_for_more(MORE)
        assert images(before) == {image(IMAGE_BEFORE)}
        for stack, name in ((today, IMAGE_TODAY), (before, IMAGE_BEFORE)):
            stack.run("deploy/roll")
            assert images(stack) == {image(name)}
            assert len(stack.containers("api")) == APIS
            assert version(stack) == HEAD
            assert hospital.request("GET", "/health/ready").status == 200
            stack.wait_until_healthy()
            history.wait_for_more(MORE)

    statuses = [answer.status for answer in history.answers()]
    # A process that is just leaving says to come again, and a sender does: 503, or 429 while the body arrives.
    assert set(statuses) <= {202, 429, 503}
    assert len(statuses) - statuses.count(202) <= len(statuses) // 50
    assert_each_routed_once(history)


def image(name: str) -> str:
    return run("docker", "image", "inspect", "--format", "{{.Id}}", name).strip()


def images(stack: Stack) -> set[str]:
    roles = (
        "api",
        "events",
        "worker-urgent",
        "worker-routine",
        "worker-urgent-delivery",
        "worker-delivery",
        "watchman",
    )
    return {container["Image"] for role in roles for container in stack.containers(role)}


def version(stack: Stack) -> str:
    own = "PGPASSWORD=${POSTGRES_PASSWORD:-$(cat /run/secrets/postgres_password)}"
    command = f'{own} psql --username=postgres --dbname=psoas -Atc "{VERSION}"'
    return stack.compose("exec", "-T", "postgres", "sh", "-c", command).strip()
