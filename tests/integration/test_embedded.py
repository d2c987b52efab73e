"""The embedded servers: nobody is trusted, nothing listens on the network, and a kill leaves nothing in the way."""

import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from services.embedded.servers.account import server_account
from services.embedded.servers.binaries import Binaries, accessible_binaries
from services.embedded.servers.cluster import ClusterError, create_cluster, upgrade_cluster
from services.embedded.servers.postgres import database_url, postgres_service
from services.embedded.supervisor.service import Account
from services.embedded.supervisor.single_service import running_service, stop, wait_until_ready
from services.embedded.supervisor.spawn import spawn
from tests.servers import Servers


def test_the_server_is_postgresql_18(own_servers: Servers) -> None:
    with psycopg.connect(own_servers.database_url()) as connection:
        assert connection.info.server_version // 10000 == 18


def test_the_servers_listen_on_sockets_in_a_private_folder_only(own_servers: Servers) -> None:
    assert own_servers.sockets.stat().st_mode & 0o777 == 0o700
    with psycopg.connect(own_servers.database_url()) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)
    with Redis.from_url(own_servers.redis_url) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.parametrize(
    ("user", "password"), [("psoas", "guess"), ("psoas", ""), ("postgres", ""), ("postgres", "postgres")]
)
def test_nobody_is_trusted(own_servers: Servers, user: str, password: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(own_servers.sockets), dbname="psoas", user=user, password=password)


@pytest.fixture
def account(tmp_path: Path) -> Account | None:
    return server_account(tmp_path / "postgres")


@pytest.fixture
def programs(account: Account | None, own_servers: Servers) -> Binaries:
    """The servers' programs, where every user can walk to them."""
    return accessible_binaries(account, own_servers.sockets.parent / f"programs-{os.urandom(3).hex()}")


@pytest.fixture
def sockets(own_servers: Servers) -> Path:
    folder = own_servers.sockets / f"more-{os.urandom(3).hex()}"
    folder.mkdir(mode=0o700)
    owner = own_servers.sockets.stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    return folder


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder with a path of 200 characters, which nobody but us can walk to."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    deep = folder.joinpath(*["long" * 10] * 5)
    deep.mkdir(parents=True)
    return deep


def test_a_server_starts_again_after_its_postmaster_was_killed(
    closed: Path, sockets: Path, programs: Binaries, account: Account | None
) -> None:
    data = closed / "postgres"
    create_cluster(data, programs.postgres, "secret", account)
    service = postgres_service(data, sockets, programs.postgres, account)
    process = spawn(service, subprocess.DEVNULL)
    wait_until_ready(service, process)
    with psycopg.connect(database_url(sockets, "secret"), autocommit=True) as busy:
        busy.execute("create table kept as select 1 as one")
        process.send_signal(signal.SIGKILL)
        process.wait()
        with running_service(service), psycopg.connect(database_url(sockets, "secret")) as connection:
            assert connection.execute("select one from kept").fetchone() == (1,)


def test_a_lock_file_that_names_another_program_is_no_obstacle(
    tmp_path: Path, sockets: Path, programs: Binaries, account: Account | None
) -> None:
    data = tmp_path / "postgres"
    create_cluster(data, programs.postgres, "secret", account)
    (data / "postmaster.pid").write_text(f"{os.getppid()}\n/proc/self/cwd\n")
    with running_service(postgres_service(data, sockets, programs.postgres, account)) as process:
        assert process.poll() is None


def test_an_interrupted_first_start_leaves_nothing_half_made(
    tmp_path: Path, programs: Binaries, account: Account | None
) -> None:
    data = tmp_path / "postgres"
    with pytest.raises(ClusterError, match="unrecognized role option"):
        create_cluster(data, programs.postgres, "secret", account, rights="nonsense")
    assert not data.exists()
    create_cluster(data, programs.postgres, "secret", account)
    assert (data / "PG_VERSION").read_text() == "18\n"


def test_a_cluster_of_an_earlier_release_gets_an_owner_who_may_create_roles(
    tmp_path: Path, sockets: Path, programs: Binaries, account: Account | None
) -> None:
    data = tmp_path / "postgres"
    create_cluster(data, programs.postgres, "secret", account, rights="login")
    (data / "pg_hba.conf").write_text("local psoas psoas scram-sha-256\n")
    upgrade_cluster(data, programs.postgres, account)
    changed = (data / "pg_hba.conf").stat().st_mtime_ns
    upgrade_cluster(data, programs.postgres, account)
    assert (data / "pg_hba.conf").stat().st_mtime_ns == changed
    with (
        running_service(postgres_service(data, sockets, programs.postgres, account)),
        psycopg.connect(database_url(sockets, "secret"), autocommit=True) as owner,
    ):
        owner.execute("create role psoas_service login password 'own'")
        psycopg.connect(database_url(sockets, "own", "psoas_service")).close()


def test_stopping_leaves_no_process(tmp_path: Path, sockets: Path, programs: Binaries, account: Account | None) -> None:
    data = tmp_path / "postgres"
    create_cluster(data, programs.postgres, "secret", account)
    service = postgres_service(data, sockets, programs.postgres, account)
    process = spawn(service, subprocess.DEVNULL)
    wait_until_ready(service, process)
    stop(service, process)
    assert process.returncode == 0
    assert not (data / "postmaster.pid").exists()
