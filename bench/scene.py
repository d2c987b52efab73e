"""What every measurement of a run finds: servers, keys, forms, and how much to measure."""

import base64
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from bench.bodies import Forms, example_forms
from bench.servers import Servers, servers
from shared.migrations.migrate import upgrade
from shared.platform.clock import now
from shared.platform.data_keys.encoding import KEY_BYTES
from shared.platform.database import Sessions, create_engine, create_sessions
from shared.platform.settings import Settings
from shared.store.access.facilities import register
from shared.store.access.keys import issue
from shared.tables import ApiKey, Person, Table

FACILITY = "st-marys"


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a run measures: `rounds` are taken in turn, times are in seconds, the rest are counts."""

    rounds: int
    warm_up: float
    load: float
    batch: int
    draining: int
    probes: int
    waiting: int
    large: int
    starts: int
    first: int
    lasting: int
    idle: float


QUICK = Scale(
    rounds=2,
    warm_up=0.3,
    load=1,
    batch=1_000,
    draining=600,
    probes=30,
    waiting=6_000,
    large=20_000,
    starts=1,
    first=500,
    lasting=1_000,
    idle=4,
)
FULL = Scale(
    rounds=3,  # the whole then takes about 25 minutes
    warm_up=2,
    load=8,
    batch=1_000,
    draining=20_000,
    probes=1_000,
    waiting=100_000,
    large=1_000_000,
    starts=3,
    first=2_000,
    lasting=100_000,
    idle=30,
)


@dataclass(frozen=True, slots=True)
class Scene:
    """`key` posts for a facility, `reader` reads all queues; `environment` is what each process gets."""

    scale: Scale
    servers: Servers
    settings: Settings
    environment: Mapping[str, str]
    engine: Engine
    sessions: Sessions
    forms: Forms
    key: str
    reader: str

    @property
    def log(self) -> Path:
        """Return the file in which the output of every measured process ends."""
        return self.servers.folder / "processes.log"

    def clear(self) -> None:
        """Empty every table but that of the keys, and every message, so that each measurement begins alike."""
        kept = (ApiKey.__tablename__, Person.__tablename__)
        names = ", ".join(name for name in Table.metadata.tables if name not in kept)
        with self.engine.begin() as connection:
            for only_added in ("events", "access_log"):  # nothing is removed from these, but for this
                connection.execute(text(f"alter table {only_added} disable trigger user"))
            connection.execute(text(f"truncate {names}"))
            for only_added in ("events", "access_log"):
                connection.execute(text(f"alter table {only_added} enable trigger user"))
        self.servers.clear_broker()
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("checkpoint"))


@contextmanager
def scene(scale: Scale) -> Iterator[Scene]:
    """Set the scene for a run."""
    with servers() as started:
        identity_key, lookup_key = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES)
        settings = Settings(
            started.database_url, started.redis_url, {"bench": identity_key}, lookup_key, log_level="WARNING"
        )
        variables = {
            "DATABASE_URL": started.database_url,
            "REDIS_URL": started.redis_url,
            "IDENTITY_KEYS": f"bench:{base64.b64encode(identity_key).decode()}",
            "LOOKUP_KEY": base64.b64encode(lookup_key).decode(),
            "API_THREADS": str(settings.api_threads),
        }
        engine = create_engine(settings)
        upgrade(engine)
        sessions = create_sessions(engine)
        with sessions.begin() as session:
            register(session, FACILITY)
            _, key = issue(session, role="submitter", facility=FACILITY)
            _, reader = issue(session, role="operator")
        forms = example_forms(now().year)
        yield Scene(scale, started, settings, {**os.environ, **variables}, engine, sessions, forms, key, reader)
        engine.dispose()
