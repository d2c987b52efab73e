"""`referrals up`: runs the whole service on one computer, from its databases to its API, until it is stopped."""

import os
import socket
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import click

from services.embedded.home import Home, HomeError, open_home, take_lock
from services.embedded.rights.capabilities import KILL, become, permitted
from services.embedded.rights.plan import Rights, planned
from services.embedded.supervisor.subreaper import run_under_subreaper
from shared.platform.transport.listener import PlainHttpError, check_listener

TLS = ("TLS_CERTIFICATE_FILE", "TLS_KEY_FILE")
RUN_ALL = "services.embedded.run_all"  # what the supervisor does; loaded by it alone, so that the subreaper stays small


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="Where the data is.",
)
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where its secrets are, apart from the data; by default the folder `secrets` in the home.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--log-json", is_flag=True, help="One JSON object a line, for a log collector; prints and issues no key.")
@click.option("--insecure", is_flag=True, help="Speak plain HTTP to other machines: a proxy in front ends TLS.")
def up(home: Path, secrets: Path | None, host: str, port: int, *, log_json: bool, insecure: bool) -> None:
    """Run the whole service on this machine until it is stopped.

    It starts PostgreSQL, Valkey, the API, the workers and the watchman.

    DATABASE_URL and REDIS_URL in the environment name servers to use instead of the embedded ones, IDENTITY_KEYS,
    LOOKUP_KEY and METRICS_TOKEN secrets instead of those that are made in the home; TLS_CERTIFICATE_FILE and
    TLS_KEY_FILE make the API speak TLS, without which it stays on loopback.
    """
    if sys.platform != "linux":
        raise click.ClickException("`referrals up` needs Linux; elsewhere use docker compose")
    certificate, key = (Path(os.environ[name]) if os.environ.get(name) else None for name in TLS)
    try:
        check_listener(host, certificate, key, insecure=insecure)
        opened = open_home(home, secrets)
        take_lock(opened)  # held until this process and the supervisor, which it forks, have ended
        port = reserve_port(host, port)
        rights = planned(opened, port)
    except (PlainHttpError, HomeError, OSError) as error:
        raise click.ClickException(str(error)) from None
    run = partial(_run, opened, host, port, rights, log_json=log_json, insecure=insecure)
    sys.exit(run_under_subreaper(run, partial(_keep_to, rights)))


def reserve_port(host: str, port: int) -> int:
    """Return `port`, or a free one for 0; raise HomeError if another program listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise HomeError(f"cannot listen at {host}:{port}: {error.strerror}; choose another --port") from None
        return int(probe.getsockname()[1])


def _keep_to(rights: Rights | None) -> None:
    """Give up root where this process has it, but for the right to signal the supervisor until that gave it up, too."""
    if rights:
        become(rights.account, {KILL} & permitted(), inherited=False)


def _run(home: Home, host: str, port: int, rights: Rights | None, *, log_json: bool, insecure: bool) -> int:
    code: int = import_module(RUN_ALL).run(home, host, port, rights, log_json=log_json, insecure=insecure)
    return code
