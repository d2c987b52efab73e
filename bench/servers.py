"""One PostgreSQL and one Valkey for a whole run, set as `referrals up` sets its own."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from bench.processes import running
from services.embedded.servers.account import hand_over, server_account
from services.embedded.servers.binaries import accessible_binaries, find_binaries
from services.embedded.servers.cluster import create_cluster
from services.embedded.servers.postgres import database_url, postgres_service
from services.embedded.servers.valkey import redis_url, valkey_service

BUFFERS = "256MB"  # as in deploy/postgres/postgresql.conf


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are reached, the folder for logs, and the folder of PostgreSQL's programs."""

    database_url: str
    redis_url: str
    folder: Path
    programs: Path

    def clear_broker(self) -> None:
        """Forget every message."""
        with Redis.from_url(self.redis_url) as broker:
            broker.flushall()

    def move_messages(self, source: str, target: str) -> None:
        """Let every message of one task queue wait in another, at once."""
        with Redis.from_url(self.redis_url) as broker:
            broker.rename(source, target)


@contextmanager
def servers() -> Iterator[Servers]:
    """Run both servers on new data in a private folder; everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        home, password = Path(name), secrets.token_urlsafe(16)
        sockets, valkey, data = home / "run", home / "valkey", home / "postgres"
        account = server_account(data)
        hand_over(home, account)  # the servers have to walk through it
        programs = accessible_binaries(account, home / "programs")
        # Before each measurement a checkpoint, so that none pays for what another wrote.
        create_cluster(data, programs.postgres, password, account, rights="login in role pg_checkpoint")
        for folder in (sockets, valkey):
            folder.mkdir(mode=0o700)
            hand_over(folder, account)
        services = [
            postgres_service(data, sockets, programs.postgres, account, shared_buffers=BUFFERS),
            valkey_service(valkey, sockets, programs.valkey, account),
        ]
        with running(services, home / "servers.log"):
            yield Servers(database_url(sockets, password), redis_url(sockets), home, find_binaries().postgres)
