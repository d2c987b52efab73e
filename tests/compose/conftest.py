"""One stack for all tests, brought up from nothing and taken down to nothing."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver.client import Client

from .stack import ROOT, Stack, checked_often, run

IMAGE = "psoas:test-compose"
PROJECT = "psoas-test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for an image to be built, and faults take their time to heal."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Fresh secrets, as `make env` writes them, and a project, an image and a port that are nobody else's."""
    folder = tmp_path_factory.mktemp("compose")
    (folder / "deploy").mkdir()
    for name in ("deploy/write-env", ".env.example"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    run("sh", str(folder / "deploy/write-env"))
    lines = [line for line in (folder / ".env").read_text().splitlines() if line and not line.startswith("#")]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return dict(line.split("=", 1) for line in lines) | {
        "COMPOSE_FILE": checked_often(ROOT, folder / "checks.yml"),
        "COMPOSE_PROJECT_NAME": PROJECT,
        "PSOAS_IMAGE": IMAGE,
        "PSOAS_PORT": str(port),
    }


@pytest.fixture(scope="session")
def stack(environment: dict[str, str]) -> Iterator[Stack]:
    """The whole service, healthy."""
    stack = Stack(environment)
    stack.compose("down", "--volumes", "--remove-orphans")  # what a killed run left
    try:
        stack.up("--build")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")
        run("docker", "image", "rm", "--force", "--no-prune", IMAGE)


@pytest.fixture(scope="session")
def submitter(stack: Stack) -> Client:
    """A hospital."""
    stack.compose("exec", "-T", "api", "referrals", "facilities", "add", "st-marys")
    return Client(stack.port, stack.issue_key("--role", "submitter", "--facility", "st-marys"))


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Client:
    """Someone who sees every queue."""
    return Client(stack.port, stack.issue_key("--role", "operator"))
