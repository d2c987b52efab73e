"""Runs the whole service: the embedded servers, API, workers and watchman, all below this process."""

import os
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from services.embedded import run_file
from services.embedded.home import Home, HomeError
from services.embedded.home_secrets import CHAIN_KEY, METRICS_TOKEN, home_secrets
from services.embedded.rights.capabilities import become
from services.embedded.rights.given_files import with_readable_files
from services.embedded.rights.handles import Handles
from services.embedded.rights.plan import Rights
from services.embedded.runtime_folder import runtime_folder
from services.embedded.servers.binaries import BinariesMissingError
from services.embedded.servers.cluster import ClusterError
from services.embedded.servers.provision import embedded_servers
from services.embedded.service_processes import issue_first_keys, preload, preparation, processes
from services.embedded.startup_message import StartupMessage
from services.embedded.supervisor.console import Console
from services.embedded.supervisor.process_control import die_with_parent
from services.embedded.supervisor.service import Service
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
OTHER_SECRETS = ("KEY_ENCRYPTION_KEY", "READER_DATABASE_URL", "MAINTENANCE_DATABASE_URL", "OIDC_CLIENT_SECRET")


def run(
    home: Home, host: str, port: int, rights: Rights | None = None, *, log_json: bool = False, insecure: bool = False
) -> int:
    """Run everything in this process and its children, as root with no more than `rights`; return the exit code."""
    try:
        _run(home, host, port, Console(as_json=log_json), rights, insecure=insecure)
    except (CannotStartError, ClusterError, HomeError, BinariesMissingError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    return 0


def _run(home: Home, host: str, port: int, console: Console, rights: Rights | None, *, insecure: bool) -> None:
    subreaper = os.getppid()
    secrets = home_secrets(home)
    account = rights.account if rights else None
    handles = Handles(account)
    scheme = "https" if os.environ.get("TLS_CERTIFICATE_FILE") else "http"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    with runtime_folder(home, account) as folder:
        wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not _given(name)]
        servers, addresses = embedded_servers(home, wanted, account, folder, secrets, handles.folder)
        own = _own_settings(home, secrets, addresses)
        environment = {**os.environ, **own}
        preload()
        first_keys = folder / "first-keys.json"
        run_file.write(home, run_file.RunFile(url, str(folder), own | _given_addresses_and_secrets()))
        if rights:
            environment = with_readable_files(environment, (*ADDRESSES, *OWN, *OTHER_SECRETS), rights, folder)
            environment |= {**_reached(environment, home, handles), "TMPDIR": str(folder)}
        stages = [
            servers,
            [preparation(environment)],
            processes(environment, folder, host, port, insecure=insecure),
            *([] if console.as_json else [[issue_first_keys(environment, first_keys)]]),  # a log is no place for keys
        ]
        message = StartupMessage(url, home.path, first_keys, environment)
        if rights:
            _give_up_root(rights, folder, subreaper)
            stages = [[_of_account(service, handles) for service in stage] for stage in stages]
        Supervisor(stages, console).run(
            lambda: console.say(message.ready_line() if console.as_json else message.text())
        )
        if not rights:  # else the home is closed to this process, and the note goes with the runtime folder
            home.running.unlink()


def _own_settings(home: Home, secrets: Mapping[str, str], addresses: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that this start was not given, from the home and for its own servers."""
    own = {name: secrets[secret] for name, secret in OWN.items() if secret in secrets and not _given(name)}
    own |= {**addresses} | {name: value for name, value in DEFAULTS.items() if not _given(name)}
    if "DATABASE_URL" in addresses and "STORAGE_PATH" not in os.environ:
        own["STORAGE_PATH"] = str(home.postgres)
    if not _given("CHAIN_HEAD_FILE"):
        own["CHAIN_HEAD_FILE"] = str(home.chain_heads)
    return own


def _give_up_root(rights: Rights, folder: Path, subreaper: int) -> None:
    tempfile.tempdir = str(folder)  # what root found may be closed to the account
    become(rights.account, rights.keep)
    die_with_parent(subreaper, signal.SIGTERM)()


def _reached(environment: Mapping[str, str], home: Home, handles: Handles) -> dict[str, str]:
    """Return the settings that name what is in the home, by paths that lead there without root's rights."""
    found = {}
    if environment.get("STORAGE_PATH") == str(home.postgres):
        found["STORAGE_PATH"] = str(handles.folder(home.postgres))
    if file := environment.get("CHAIN_HEAD_FILE"):
        found["CHAIN_HEAD_FILE"] = str(handles.file(Path(file)))
    return found


def _of_account(service: Service, handles: Handles) -> Service:
    """Return a service that is started by a process which is its account's already."""
    return replace(service, account=None, keep=tuple(handles.descriptors), bare=True)


def _given_addresses_and_secrets() -> dict[str, str]:
    """Return what this start was given instead of the home's own: commands on the home need it from any shell.

    A key-encryption key stays out of the home that it protects: its file is named, or the shell has it.
    """
    names = [name for each in (*ADDRESSES, *OWN) for name in (each, f"{each}_FILE")]
    return {name: os.environ[name] for name in (*names, "KEY_ENCRYPTION_KEY_FILE") if name in os.environ}


def _given(name: str) -> bool:
    return name in os.environ or f"{name}_FILE" in os.environ
