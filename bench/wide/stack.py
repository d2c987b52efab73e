"""A compose stack on `docker-compose.yml` as it is, whose project, image, port, secrets and data are nobody else's."""

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Address
from bench.stacks import HOST, free_port
from shared.platform.data_keys.encoding import KEY_BYTES

ROOT = Path(__file__).parents[2]
PROJECT = "psoas-wide"
IMAGE = "psoas:wide"
TRIAGE = ("worker-urgent", "worker-routine")  # the workers that are made more; there is no destination to deliver to
PSQL = (
    "PGPASSWORD=$(cat /run/secrets/postgres_password)"
    ' exec psql --username=postgres --dbname=psoas --quiet --no-align --tuples-only "$@"'
)
IN_POSTGRES = ("docker", "compose", "exec", "-T", "postgres", "sh", "-c", PSQL, "psql")


@dataclass(frozen=True, slots=True)
class Width:
    """How many containers of the API there are, and how many of each worker that triages."""

    apis: int
    workers: int

    def __str__(self) -> str:
        """Name the width as the table does."""
        return f"API x{self.apis}, workers x{self.workers}"


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack; `environment` is what `docker compose` reads its choices and secrets from."""

    address: Address
    environment: dict[str, str]

    def compose(self, *words: str) -> str:
        """Run `docker compose` with `words`; return what it prints, or raise CalledProcessError."""
        command = ["docker", "compose", *words]
        return subprocess.run(  # noqa: S603 - words from this package
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def widen(self, width: Width) -> None:
        """Run so many containers of each role, and wait until they are healthy."""
        scales = [f"--scale=api={width.apis}", *(f"--scale={role}={width.workers}" for role in TRIAGE)]
        self.compose("--progress=quiet", "up", "--detach", "--wait", *scales)

    @contextmanager
    def nobody_triages(self) -> Iterator[None]:
        """Freeze the workers and the watchman, so that what is posted waits."""
        self.compose("--progress=quiet", "pause", *TRIAGE, "watchman")
        try:
            yield
        finally:
            self.compose("--progress=quiet", "unpause", *TRIAGE, "watchman")

    def containers(self) -> dict[str, str]:
        """Return the role of each running container by its id."""
        lines = self.compose("ps", "--format", "json").splitlines()
        return {container["ID"]: container["Service"] for container in map(json.loads, lines)}

    def key(self, *options: str) -> str:
        """Return a new API key, issued as an operator of the stack issues one."""
        if "--facility" in options:
            facility = options[options.index("--facility") + 1]
            self.compose("exec", "-T", "api", "referrals", "facilities", "add", facility)
        return self.compose("exec", "-T", "api", "referrals", "keys", "issue", *options).strip()

    def version(self, role: str, program: str) -> str:
        """Return what a program in a container says of itself."""
        return self.compose("exec", "-T", role, program, "--version").strip()

    def ask(self, query: str) -> str:
        """Return what PostgreSQL answers."""
        return self.compose(*IN_POSTGRES[2:], "--dbname=psoas", "--command", query).strip()


@contextmanager
def stack() -> Iterator[Stack]:
    """Build the image and start the stack; containers and data are gone afterwards."""
    port = free_port()
    started = Stack((HOST, port), {**os.environ, **_secrets(), **_choices(port)})
    _remove(started)  # what a killed run left
    try:
        started.compose("build", "--quiet")
        yield started
    finally:
        _remove(started)


def _remove(stack: Stack) -> None:
    stack.compose("--progress=quiet", "down", "--volumes", "--remove-orphans", "--timeout=10")


def _choices(port: int) -> dict[str, str]:
    return {"COMPOSE_PROJECT_NAME": PROJECT, "PSOAS_IMAGE": IMAGE, "PSOAS_PORT": str(port)}


def _secrets() -> dict[str, str]:
    passwords = {f"{name}_PASSWORD": secrets.token_hex() for name in ("POSTGRES", "DATABASE", "REDIS")}
    return {**passwords, "IDENTITY_KEYS": f"k1:{_key()}", "LOOKUP_KEY": _key()}


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
