"""Runs the whole service: the embedded servers, API, workers and watchman, all below this process."""

import os

import click

from services.cli import running
from services.cli.embedded.account import servers_account
from services.cli.embedded.cluster import ClusterError
from services.cli.embedded.programs import ProgramsMissingError
from services.cli.embedded.servers import embedded_servers
from services.cli.home import Home, HomeError
from services.cli.own_secrets import METRICS_TOKEN, own_secrets
from services.cli.processes import load, preparation, processes
from services.cli.runner.child import CannotStartError
from services.cli.runner.console import Console
from services.cli.runner.runner import Runner
from services.cli.runtime_folder import runtime_folder
from services.cli.welcome import welcome

ALLOW_LOOPBACK = "DESTINATIONS_ALLOW_LOOPBACK"  # all runs on one machine here, and so may a department's system
# Settings that the home has a secret for.
OWN = {"IDENTITY_KEYS": "identity_keys", "LOOKUP_KEY": "lookup_key", "METRICS_TOKEN": METRICS_TOKEN}


def run(home: Home, host: str, port: int) -> int:
    """Run everything in this process and its children; return the exit code."""
    try:
        _run(home, host, port)
    except (CannotStartError, ClusterError, HomeError, ProgramsMissingError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    return 0


def _run(home: Home, host: str, port: int) -> None:
    console = Console()
    secrets = own_secrets(home)
    account = servers_account(home.postgres, home.valkey)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    with runtime_folder(home, account) as folder:
        wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not _given(name)]
        servers, addresses = embedded_servers(home, wanted, account, folder, secrets["database_password"])
        own = {name: secrets[secret] for name, secret in OWN.items() if not _given(name)} | addresses
        own |= {} if _given(ALLOW_LOOPBACK) else {ALLOW_LOOPBACK: "true"}
        if "DATABASE_URL" in addresses and "STORAGE_PATH" not in os.environ:
            own["STORAGE_PATH"] = str(home.postgres)
        environment = {**os.environ, **own}
        load()
        first_keys = folder / "first-keys.json"
        running.write(home, running.Running(url, str(folder), own))
        stages = [servers, [preparation(environment, first_keys)], processes(environment, folder, host, port)]
        Runner(stages, console).run(lambda: console.say(welcome(url, home.path, first_keys)))
        home.running.unlink()


def _given(name: str) -> bool:
    return name in os.environ or f"{name}_FILE" in os.environ
