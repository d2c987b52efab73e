"""The compose stack as an operator handles it: `docker compose` on the very file that a hospital would run."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SLOWEST_STEP = 600  # seconds; building the image from nothing
HEALING = 180  # seconds from starting a container until its health check says so


@dataclass(frozen=True)
class Stack:
    """One project of containers; `environment` holds its name, its image, its secrets and its port.

    `folder` has the compose file, and what it builds and mounts.
    """

    environment: dict[str, str]
    folder: Path = ROOT

    @property
    def port(self) -> int:
        return int(self.environment["PSOAS_PORT"])

    def run(self, *command: str) -> str:
        """Run a command that uses `docker compose`; return what it prints. Raise with its words when it fails."""
        return run(*command, environment=self.environment, folder=self.folder)

    def compose(self, *words: str) -> str:
        return self.run("docker", "compose", *words)

    def up(self, *words: str) -> None:
        """Start everything and wait until it is healthy."""
        self.compose("up", "--detach", *words)
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        """Wait for whoever is ill until its next check: `up` gives up at once where others depend on it."""
        deadline = time.monotonic() + HEALING
        while ill := [container["Name"] for container in self.every_container() if not healthy(container)]:
            assert time.monotonic() < deadline, f"not healthy: {ill}\n{self.compose('logs', '--tail', '20')}"
            time.sleep(0.3)

    def containers(self, service: str | None = None) -> list[dict[str, Any]]:
        """What `docker inspect` says of the running containers of one service, or of all."""
        return inspected(self.compose("ps", "--quiet", *([service] if service else [])).split())

    def every_container(self) -> list[dict[str, Any]]:
        """The same of all containers, the stopped ones too."""
        return inspected(self.compose("ps", "--all", "--quiet").split())

    def issue_key(self, *options: str) -> str:
        """Return a new API key, as an administrator gets one."""
        return self.compose("exec", "-T", "api", "referrals", "keys", "issue", *options).strip()


def checked_often(folder: Path, file: Path) -> str:
    """Return a COMPOSE_FILE: that of `folder`, and one that is written to `file` and checks what starts more often.

    Without it every start waits for several checks five seconds apart. It needs Docker 25. A container on a busy
    machine may take two minutes to become healthy.
    """
    services = yaml.safe_load((folder / "docker-compose.yml").read_text())["services"]
    start = {"healthcheck": {"start_interval": "2s", "start_period": "120s"}}
    file.write_text(json.dumps({"services": {name: start for name in services if "healthcheck" in services[name]}}))
    return f"docker-compose.yml:{file}"  # what is JSON is YAML, too


def inspected(ids: list[str]) -> list[dict[str, Any]]:
    return json.loads(run("docker", "inspect", *ids)) if ids else []


def healthy(container: dict[str, Any]) -> bool:
    """Say whether a container's health check passes; one without a check has to have ended well."""
    state = container["State"]
    return bool(
        state["Health"]["Status"] == "healthy"
        if "Health" in state
        else state["Status"] == "exited" and state["ExitCode"] == 0
    )


def run(*command: str, environment: dict[str, str] | None = None, folder: Path = ROOT) -> str:
    """Run a command in the project's folder and return its output."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=SLOWEST_STEP,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout
