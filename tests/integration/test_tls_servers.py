"""PostgreSQL and Redis beyond this machine: the service works over TLS, and refuses who is not who was named."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from services.api.limits import storage
from services.worker.triage.app import create_worker
from shared.platform.broker import broker_answers
from shared.platform.database import create_engine
from shared.platform.settings import Settings
from shared.platform.wake_ups.publisher import create_producer
from tests.referrals import RED_FLAG, referrals, request, up
from tests.servers import Servers
from tests.tls import Authority, Terminator, terminated

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Secured:
    """The two servers behind TLS, and the authority that vouches for them."""

    postgres: Terminator
    valkey: Terminator
    authority: Authority
    password: str

    def database_url(self, authority: Authority, host: str = HOST) -> str:
        query = f"sslmode=verify-full&sslrootcert={authority.file}"
        return f"postgresql://psoas:{self.password}@{host}:{self.postgres.port}/psoas?{query}"

    def redis_url(self, authority: Authority, host: str = HOST) -> str:
        return f"rediss://{host}:{self.valkey.port}/0?ssl_ca_certs={authority.file}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Authority]:
    folder = tmp_path_factory.mktemp("authorities")
    return lambda name: Authority(folder, name)


@pytest.fixture(scope="module")
def secured(own_servers: Servers, authority: Callable[[str], Authority]) -> Iterator[Secured]:
    ours = authority("ours")
    certificate = ours.certificate(HOST)  # an address, and no name
    sockets = own_servers.sockets
    with (
        terminated(sockets / ".s.PGSQL.5432", certificate, postgres=True) as postgres,
        terminated(sockets / "valkey.sock", certificate) as valkey,
    ):
        yield Secured(postgres, valkey, ours, own_servers.password)


@pytest.fixture
def secured_settings(secured: Secured, settings: Settings) -> Settings:
    return replace(
        settings, database_url=secured.database_url(secured.authority), redis_url=secured.redis_url(secured.authority)
    )


@pytest.mark.usefixtures("engine")  # no row is sealed with a key of other tests
def test_a_service_takes_triages_and_watches_over_tls_alone(
    secured: Secured, tmp_path: Path, environment: dict[str, str]
) -> None:
    servers = {
        "DATABASE_URL": secured.database_url(secured.authority),
        "REDIS_URL": secured.redis_url(secured.authority),
    }
    before = secured.postgres.accepted, secured.valkey.accepted
    with up(tmp_path / "home", env={**os.environ, **environment, **servers, "LOG_LEVEL": "INFO"}) as running:
        key = referrals("keys", "issue", "--role", "operator", "--home", running.home).stdout.strip()
        submitter = running.keys()["submitter"]
        assert request(f"{running.url}/health/ready", "")[1].get("degraded", []) == []
        status, taken = request(f"{running.url}/v1/intakes", submitter, RED_FLAG)
        assert (status, taken["referral"]["queue"]) == (200, "urgent")
        running.wait_for(r'^urgent .*"event":"triaged"|^urgent .*triage')  # by the worker, whom a message woke
        assert request(f"{running.url}/v1/queues", key)[0] == 200
        said = json.loads(referrals("doctor", "--home", running.home, "--json").stdout)
        assert {each["state"] for each in said if each["check"] in ("broker", "database")} == {"ok"}
        names = set(running.processes())
        assert not names & {"postgres", "valkey"}  # it has no servers of its own
        assert running.stop() == 0
    assert secured.postgres.accepted - before[0] >= 6
    assert secured.valkey.accepted - before[1] >= 5  # four workers and the API


@pytest.mark.parametrize(("authority_name", "host"), [("other", HOST), ("ours", "localhost")])
def test_another_authority_or_another_name_is_refused_by_all_who_connect(
    authority_name: str,
    host: str,
    secured: Secured,
    secured_settings: Settings,
    authority: Callable[[str], Authority],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storage, "TIMEOUT_SECONDS", 2)  # a handshake of the tests takes longer than one of a server
    assert reaches_all(secured_settings) == [True] * 5
    named = secured.authority if authority_name == "ours" else authority(authority_name)
    wrong = replace(
        secured_settings,
        database_url=secured.database_url(named, host),
        redis_url=secured.redis_url(named, host),
    )
    assert reaches_all(wrong) == [False] * 5


def reaches_all(settings: Settings) -> list[bool]:
    """Return who reaches its server: the database, the probe, a worker, the publisher and the limits."""
    return [
        reaches_database(settings),
        broker_answers(settings),
        connects(create_worker(settings)),
        connects(create_producer(settings)),
        counts(settings),
    ]


def reaches_database(settings: Settings) -> bool:
    engine = create_engine(settings, pool_size=0)
    try:
        with engine.connect() as connection:
            return connection.scalar(text("select 1")) == 1
    except OperationalError as error:
        return "certificate" not in str(error)


def connects(app: Any) -> bool:
    try:
        with app.connection() as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
    except BrokerError as error:
        return "CERTIFICATE_VERIFY_FAILED" not in str(error)
    return True


def counts(settings: Settings) -> bool:
    counted = storage.CountStorage(f"{storage.SCHEME}://", redis_url=settings.redis_url, block=1)
    counted.incr("LIMITER/tls/1/1/minute", 60)
    return counted.check()
