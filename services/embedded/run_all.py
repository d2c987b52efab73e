"""Runs the whole service: the embedded servers, API, workers and watchman, all below this process."""

import os

import click

from services.embedded import run_file
from services.embedded.home import Home, HomeError
from services.embedded.home_secrets import CHAIN_KEY, METRICS_TOKEN, home_secrets
from services.embedded.runtime_folder import runtime_folder
from services.embedded.servers.account import server_account
from services.embedded.servers.binaries import BinariesMissingError
from services.embedded.servers.cluster import ClusterError
from services.embedded.servers.provision import embedded_servers
from services.embedded.service_processes import issue_first_keys, preload, preparation, processes
from services.embedded.startup_message import Welcome
from services.embedded.supervisor.console import Console
from services.embedded.supervisor.supervised_process import CannotStartError
from services.embedded.supervisor.supervisor import Supervisor

DEFAULTS = {  # where `up` differs from the single processes
    "DESTINATIONS_ALLOW_LOOPBACK": "true",  # all runs on one machine here, and so may a department's system
    "LOG_LEVEL": "WARNING",  # a terminal shows what needs attention; a line for each request with LOG_LEVEL=INFO
}
# Settings that the home has a secret for.
OWN = {
    "IDENTITY_KEYS": "identity_keys",
    "LOOKUP_KEY": "lookup_key",
    "METRICS_TOKEN": METRICS_TOKEN,
    "CHAIN_KEY": CHAIN_KEY,
    "LOOKUP_KEY_PREVIOUS": "lookup_key_previous",
    "WEBHOOK_KEYS": "webhook_keys",
}
ADDRESSES = ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL")


def run(home: Home, host: str, port: int, *, log_json: bool = False, insecure: bool = False) -> int:
    """Run everything in this process and its children; return the exit code."""
    try:
        _run(home, host, port, Console(as_json=log_json), insecure=insecure)
    except (CannotStartError, ClusterError, HomeError, BinariesMissingError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    return 0


def _run(home: Home, host: str, port: int, console: Console, *, insecure: bool) -> None:
    secrets = home_secrets(home)
    account = server_account(home.postgres, home.valkey)
    scheme = "https" if os.environ.get("TLS_CERTIFICATE_FILE") else "http"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    with runtime_folder(home, account) as folder:
        wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not _given(name)]
        servers, addresses = embedded_servers(home, wanted, account, folder, secrets)
        own = {
            name: secrets[secret] for name, secret in OWN.items() if secret in secrets and not _given(name)
        } | addresses
        own |= {name: value for name, value in DEFAULTS.items() if not _given(name)}
        if "DATABASE_URL" in addresses and "STORAGE_PATH" not in os.environ:
            own["STORAGE_PATH"] = str(home.postgres)
        own |= {"CHAIN_HEAD_FILE": str(home.chain_heads)} if not _given("CHAIN_HEAD_FILE") else {}
        environment = {**os.environ, **own}
        preload()
        first_keys = folder / "first-keys.json"
        run_file.write(home, run_file.RunFile(url, str(folder), own | _given_addresses_and_secrets()))
        stages = [
            servers,
            [preparation(environment)],
            processes(environment, folder, host, port, insecure=insecure),
            *([] if console.as_json else [[issue_first_keys(environment, first_keys)]]),  # a log is no place for keys
        ]
        welcome = Welcome(url, home.path, first_keys, environment)
        Supervisor(stages, console).run(
            lambda: console.say(welcome.ready_line() if console.as_json else welcome.text())
        )
        home.running.unlink()


def _given_addresses_and_secrets() -> dict[str, str]:
    """Return what this start was given instead of the home's own: commands on the home need it from any shell.

    A key-encryption key stays out of the home that it protects: its file is named, or the shell has it.
    """
    names = [name for each in (*ADDRESSES, *OWN) for name in (each, f"{each}_FILE")]
    return {name: os.environ[name] for name in (*names, "KEY_ENCRYPTION_KEY_FILE") if name in os.environ}


def _given(name: str) -> bool:
    return name in os.environ or f"{name}_FILE" in os.environ
