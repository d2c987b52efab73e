"""Containers get no more than they need: no root, no capability, no writable image, no open port but one."""

from typing import Any

import pytest

from .stack import Stack, run

WORKERS = ("worker-urgent", "worker-routine", "worker-urgent-delivery", "worker-delivery", "watchman")
SERVICES = ("postgres", "redis", "api", "events", "nginx", *WORKERS)


@pytest.fixture(params=SERVICES)
def container(request: pytest.FixtureRequest, stack: Stack) -> dict[str, Any]:
    """What the engine says of one service's container."""
    (container,) = stack.containers(request.param)
    return container


def test_it_is_healthy(container: dict[str, Any]) -> None:
    assert container["State"]["Health"]["Status"] == "healthy"


def test_none_of_its_processes_is_root(container: dict[str, Any]) -> None:
    users = run("docker", "top", container["Id"], "-eo", "uid,pid").split("\n")[1:]
    assert "0" not in {line.split()[0] for line in users if line}


def test_it_writes_to_its_volumes_alone(container: dict[str, Any]) -> None:
    assert container["HostConfig"]["ReadonlyRootfs"]
    mounts = [mount["Destination"] for mount in container["Mounts"]]
    changed = [line.split(" ", 1)[1] for line in run("docker", "diff", container["Id"]).splitlines()]
    # The engine makes a place for each mount; beyond these nothing has changed.
    assert [path for path in changed if not any(f"{mount}/".startswith(f"{path}/") for mount in mounts)] == []


def test_it_has_no_privilege_and_a_limit(container: dict[str, Any]) -> None:
    host = container["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"]["max-size"]


def test_it_comes_back_after_a_crash(container: dict[str, Any]) -> None:
    assert container["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_only_nginx_is_published_and_on_localhost(container: dict[str, Any], stack: Stack) -> None:
    published = {port: binds for port, binds in container["NetworkSettings"]["Ports"].items() if binds}
    nginx = container["Config"]["Labels"]["com.docker.compose.service"] == "nginx"
    assert published == ({"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]} if nginx else {})
