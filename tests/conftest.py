"""What every test may ask for: settings with test keys, a migrated database that is empty, and an empty broker."""

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from redis import Redis
from sqlalchemy import Engine, make_url, text

from shared.migrations.migrate import upgrade
from shared.migrations.privileges import SERVICE
from shared.migrations.roles import logins
from shared.platform.database import Sessions, create_engine, create_sessions
from shared.platform.settings import Settings
from shared.tables import Table
from tests.servers import Servers, servers

IDENTITY_KEYS = {"test": bytes(range(32))}
LOOKUP_KEY = bytes(range(32, 64))


@pytest.fixture(scope="session")
def own_servers() -> Iterator[Servers]:
    """A PostgreSQL and a Valkey for this test process, started when the first test wants them."""
    with servers() as started:
        yield started


@pytest.fixture(scope="session")
def settings(own_servers: Servers) -> Settings:
    """Settings for the migrated database `psoas` and for the broker."""
    return Settings(
        database_url=own_servers.database_url(),
        redis_url=own_servers.redis_url,
        identity_keys=IDENTITY_KEYS,
        lookup_key=LOOKUP_KEY,
        stop_seconds=1,
        metrics_token="metrics-of-the-tests",  # noqa: S106
    )


@pytest.fixture(scope="session")
def migrated(settings: Settings) -> Iterator[Engine]:
    """The engine of the migrated database; tests ask for `engine`, which also empties it."""
    engine = create_engine(settings)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def service_settings(settings: Settings, migrated: Engine) -> Settings:
    """Settings by which a process connects as the service's own role, as it does where the owner has one apart."""
    url = make_url(settings.database_url).set(username=SERVICE, password="of-the-service")  # noqa: S106
    own = replace(
        settings,
        database_url=url.render_as_string(hide_password=False),
        owner_database_url=settings.database_url,
    )
    upgrade(migrated, logins(own))
    return own


@pytest.fixture
def engine(migrated: Engine) -> Engine:
    """An engine on a migrated database in which every table is empty."""
    tables = ", ".join(Table.metadata.tables)
    with migrated.begin() as connection:  # waits for nobody: a connection that an earlier test left open is an error
        for only_added in ("events", "access_log"):  # nothing is removed from these, but for this
            connection.execute(text(f"alter table {only_added} disable trigger user"))
        connection.execute(text(f"truncate {tables} restart identity"))
        for only_added in ("events", "access_log"):
            connection.execute(text(f"alter table {only_added} enable trigger user"))
    return migrated


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    """The session factory of the emptied database."""
    return create_sessions(engine)


@pytest.fixture
def broker(settings: Settings) -> Iterator[Redis]:
    """A client of the broker, which holds nothing."""
    with Redis.from_url(settings.redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def new_database(own_servers: Servers, settings: Settings, migrated: Engine) -> Callable[[str], Settings]:
    """A function that makes an empty database, without any table, and returns settings for it."""

    def create(name: str) -> Settings:
        with migrated.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"drop database if exists {name} with (force)"))
            connection.execute(text(f"create database {name} template template0"))
        return replace(settings, database_url=own_servers.database_url(name))

    return create


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The environment of a process that is to run with `settings`."""
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "IDENTITY_KEYS": ",".join(f"{name}:{encoded(key)}" for name, key in settings.identity_keys.items()),
        "LOOKUP_KEY": encoded(settings.lookup_key),
        "STOP_SECONDS": str(settings.stop_seconds),
        "METRICS_TOKEN": settings.metrics_token,
    }


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()
