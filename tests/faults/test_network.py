"""What a network does to a service between it and its servers costs time, and nothing that was accepted."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.referrals import up
from tests.servers import servers

from .conftest import identities
from .fault import Fault, at_this_pace, endure
from .network import FAULTS
from .pace import Pace
from .proxy import Proxy
from .service import Service
from .table import Row


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that reaches its servers through proxies."""
    home = tmp_path_factory.mktemp("network") / "home"
    with ExitStack() as stack:
        own = stack.enter_context(servers())
        valkey = stack.enter_context(closing(Proxy(own.sockets / "valkey.sock")))
        postgres = stack.enter_context(closing(Proxy(own.sockets / ".s.PGSQL.5432")))
        through = {
            "DATABASE_URL": f"postgresql://psoas:{own.password}@127.0.0.1:{postgres.port}/psoas?sslmode=disable",
            "REDIS_URL": f"redis://127.0.0.1:{valkey.port}/0",
        }
        running = stack.enter_context(up(home, env=os.environ | through))
        direct = json.loads((home / "running.json").read_text())["environment"] | {
            "DATABASE_URL": own.database_url(),
            "OWNER_DATABASE_URL": own.database_url(),
            "REDIS_URL": own.redis_url,
        }
        made = stack.enter_context(
            closing(Service(running, home, direct, proxies={"valkey": valkey, "postgres": postgres}))
        )
        yield made
        assert identities(made) == []


@pytest.mark.parametrize("fault", at_this_pace(FAULTS), ids=lambda fault: fault.name)
def test_nothing_is_lost_and_no_red_flag_waits(service: Service, fault: Fault, pace: Pace, rows: list[Row]) -> None:
    endure(service, fault, pace, rows)
