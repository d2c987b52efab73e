"""Starts a PostgreSQL and a Valkey of the tests' own, from the wheels, on sockets in a private folder."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.embedded.servers.account import hand_over, server_account
from services.embedded.servers.binaries import accessible_binaries
from services.embedded.servers.cluster import create_cluster
from services.embedded.servers.postgres import database_url, postgres_service
from services.embedded.servers.valkey import redis_url, valkey_service
from services.embedded.supervisor.single_service import running_service

# The tests kill processes, not the machine: nothing has to be on the disk.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# The owner sees and ends connections of every role, as an administrator may: tests cut off and freeze the service.
RIGHTS = "login createdb createrole in role pg_read_all_stats, pg_signal_backend"


@dataclass(frozen=True)
class Servers:
    """Where the two servers listen."""

    sockets: Path
    password: str

    @property
    def redis_url(self) -> str:
        return redis_url(self.sockets)

    def database_url(self, name: str = "psoas") -> str:
        return database_url(self.sockets, self.password).replace("/psoas?", f"/{name}?")


@contextmanager
def servers() -> Iterator[Servers]:
    """Yield running servers with an empty database, whose role may create others; nothing of them stays behind."""
    with tempfile.TemporaryDirectory(prefix="psoas-test-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        data, queue, sockets, copies = (root / name for name in ("postgres", "valkey", "sockets", "programs"))
        for path in (queue, sockets):
            path.mkdir(mode=0o700)
        account = server_account(data)
        programs = accessible_binaries(account, copies)
        root.chmod(0o711)  # the servers' user has to walk to its folders, which are closed to all others
        for path in (queue, sockets):
            hand_over(path, account)
        password = secrets.token_urlsafe(16)
        create_cluster(data, programs.postgres, password, account, rights=RIGHTS)
        (data / "pg_hba.conf").write_text("local all postgres reject\nlocal all all scram-sha-256\n")
        with ExitStack() as stack:
            stack.enter_context(running_service(postgres_service(data, sockets, programs.postgres, account, **FAST)))
            stack.enter_context(running_service(valkey_service(queue, sockets, programs.valkey, account)))
            yield Servers(sockets, password)
