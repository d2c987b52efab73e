"""A running `referrals up` in the hands of somebody who breaks it: its processes, its servers, its tenants."""

import itertools
import json
import os
import re
import signal
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from redis import Redis
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import QUEUES
from shared.store.access import facilities, keys
from tests.driver.client import Client, UnansweredError
from tests.driver.load import Tenant
from tests.program import descendants
from tests.referrals import Up, children, referrals

from .proxy import Proxy

BACK_SECONDS = 60
PAGE = 200  # events
_CHANGE = re.compile(r"^(\S+) (ended|is back)")
_numbers = itertools.count(1)


class Service:
    """`environment` has the addresses of the servers themselves, whatever stands between them and the service."""

    def __init__(
        self, running: Up, home: Path, environment: Mapping[str, str], proxies: Mapping[str, Proxy] | None = None
    ) -> None:
        self.running = running
        self.home = home
        self.environment = environment
        self.proxies = proxies or {}
        self.mailboxes: Any = None  # where departments' own systems listen
        self.port: int = urlsplit(running.url).port or 0
        self._heard = 0
        self._down: set[str] = set()

    def close(self) -> None:
        """Let go of the servers."""
        self.broker.close()
        self.engine.dispose()

    @cached_property
    def broker(self) -> Redis:
        """A client of the broker itself."""
        return Redis.from_url(self.environment["REDIS_URL"], socket_timeout=5)

    @cached_property
    def engine(self) -> Engine:
        url = make_url(self.environment["OWNER_DATABASE_URL"]).set(drivername="postgresql+psycopg")
        return create_engine(url, pool_pre_ping=True, pool_size=1)

    @cached_property
    def operator(self) -> Client:
        """Someone who sees everything."""
        with self._session() as session, session.begin():
            return Client(self.port, keys.issue(session, role="operator")[1])

    def connect(self, *, as_owner: bool = False) -> psycopg.Connection[Any]:
        """Return a new connection to the database, outside of what the service holds."""
        return psycopg.connect(self.environment[f"{'OWNER_' if as_owner else ''}DATABASE_URL"], autocommit=True)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield everything that has happened, by the feed."""
        after = 0
        while True:
            page = self.operator.get(f"/v1/events?after={after}&limit={PAGE}")
            yield from page["events"]
            if len(page["events"]) < PAGE:
                return
            after = page["next"]

    def tenants(self, count: int) -> list[Tenant]:
        """Return new facilities that nobody else posts for."""
        with self._session() as session, session.begin():
            return [self._tenant(session, f"facility-{next(_numbers)}") for _ in range(count)]

    def _session(self) -> Session:
        """Return a session of the owner that seals the keys it issues, as `referrals keys` does."""
        return Session(self.engine, info={"chain_key": b64decode(self.environment["CHAIN_KEY"])})

    def _tenant(self, session: Any, facility: str) -> Tenant:
        facilities.register(session, facility)
        _, hospital = keys.issue(session, role="submitter", facility=facility)
        _, department = keys.issue(session, role="department", facility=facility, queues=QUEUES)
        return Tenant(Client(self.port, hospital), Client(self.port, department), own=True)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> bool:
        """Send the signal to that process, and SIGKILL to its children too; say whether it ran."""
        pid = self.running.processes().get(name)
        for each in (*(children(pid) if number == signal.SIGKILL else ()), pid) if pid else ():
            with suppress(ProcessLookupError):
                os.kill(each, number)
        return pid is not None

    @contextmanager
    def dead(self, name: str) -> Iterator[None]:
        """Keep that process dead: whenever it is started again, it is killed again."""
        over = threading.Event()

        def keep_dead() -> None:
            while not over.wait(0.05):
                with suppress(FileNotFoundError, ProcessLookupError):
                    self.kill(name)

        thread = threading.Thread(target=keep_dead)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Stop that process and all that belong to it; let them go on at the end."""
        pid = self.running.processes()[name]
        family = {pid, *descendants(pid)}
        signal_all(family, signal.SIGSTOP)
        try:
            yield
        finally:
            signal_all(family, signal.SIGCONT)

    def wait_for_start(self, name: str) -> None:
        """Wait until that process runs again."""
        wait_until(lambda: name in self.running.processes(), f"{name} started again")

    def wait_until_ready(self) -> None:
        """Wait until the API says that intakes can be stored."""
        wait_until(lambda: self._readiness() is not None, "ready")

    def wait_until_whole(self) -> None:
        """Wait until every process is back and nothing is degraded."""
        wait_until(lambda: not self.down() and self._readiness() == [], "every process back, and nothing degraded")

    def audit(self) -> tuple[int, int | None, list[str]]:
        """Return the exit code of `referrals audit`, where the chain of events is broken, and what it found."""
        done = referrals("audit", "--json", "--home", self.home)
        report = json.loads(done.stdout)
        return done.returncode, report["broken"], [name for name, count in report["findings"].items() if count]

    def said(self) -> list[str]:
        """Return every line that all of it has said until now."""
        self.running.listen()
        return self.running.said

    def down(self) -> Collection[str]:
        """Return what has ended and is not back, by what the supervisor says."""
        lines = self.said()
        for line in lines[self._heard :]:
            if change := _CHANGE.match(line):
                (self._down.add if change[2] == "ended" else self._down.discard)(change[1])
        self._heard = len(lines)
        return self._down

    def _readiness(self) -> Any:
        try:
            answer = Client(self.port, "").request("GET", "/health/ready")
        except UnansweredError:
            return None
        return answer.body["degraded"] if answer.status == 200 else None


def wait_until(condition: Callable[[], Any], what: str) -> None:
    """Wait until `condition` holds; fail with `what` was waited for."""
    deadline = time.monotonic() + BACK_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.03)


def signal_all(pids: Collection[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
