"""`referrals up`: the whole service on this machine, from its databases to its API, until it is told to stop."""

import os
import socket
import sys
from functools import partial
from pathlib import Path

import click

from services.cli import running
from services.cli.embedded.account import servers_account
from services.cli.embedded.cluster import ClusterError
from services.cli.embedded.programs import ProgramsMissingError
from services.cli.embedded.servers import embedded_servers
from services.cli.home import Home, HomeError, open_home, take_lock
from services.cli.own_secrets import own_secrets
from services.cli.processes import load, preparation, processes
from services.cli.runner.child import CannotStartError
from services.cli.runner.console import Console
from services.cli.runner.keeper import keep
from services.cli.runner.runner import Runner
from services.cli.runtime_folder import runtime_folder
from services.cli.welcome import welcome

ALLOW_LOOPBACK = "DESTINATIONS_ALLOW_LOOPBACK"  # all runs on one machine here, and so may a department's system
OWN = {"IDENTITY_KEYS": "identity_keys", "LOOKUP_KEY": "lookup_key"}  # settings that the home has a secret for


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="Where the data is.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
def up(home: Path, host: str, port: int) -> None:
    """Run the whole service: PostgreSQL, Valkey, the API, the workers and the watchman.

    DATABASE_URL and REDIS_URL in the environment name servers to use instead of the embedded ones, IDENTITY_KEYS and
    LOOKUP_KEY secrets instead of those that are made in the home.
    """
    if sys.platform != "linux":
        raise click.ClickException("`referrals up` needs Linux; elsewhere use docker compose")
    try:
        opened = open_home(home)
        take_lock(opened)  # held until this process and the runner, which it forks, have ended
        port = claim(host, port)
    except (HomeError, OSError) as error:
        raise click.ClickException(str(error)) from None
    sys.exit(keep(partial(run, opened, host, port)))


def claim(host: str, port: int) -> int:
    """Return `port`, or a free one for 0; raise HomeError if another program listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise HomeError(f"cannot listen at {host}:{port}: {error.strerror}; choose another --port") from None
        return int(probe.getsockname()[1])


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
