"""Forms are stored on connections of their own, and a slow statement is not taken for a lost server."""

import json
import threading
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from services.api.context import context_of
from services.api.http import key_cache
from shared.platform.database import LIMITS, create_engine
from shared.platform.raw_statement import RawStatement
from shared.platform.timeouts import ANSWER_SECONDS, STATEMENT_SECONDS, install_client_timeouts
from tests.api.batches import line, send
from tests.api.test_server import ask, server
from tests.cases import case_for

__all__ = ["server"]  # a fixture

READERS, PRIORITY_WAKE_UP = 8, 10
RED = case_for("urgent").body()
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
SLOW = "select pg_sleep(60)"


@contextmanager
def readers(port, headers):
    """Eight readers of worklists, each of which asks again as soon as it has an answer."""
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            ask(port, "GET", "/v1/queues/urgent/referrals", headers=headers)

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_red_flags_are_stored_while_readers_hold_every_other_connection(server, operator, sessions, engine):
    _, port, headers = server
    statuses, ready = [], []
    with sessions.begin() as session:
        session.execute(text("set local idle_in_transaction_session_timeout = 0"))
        session.execute(text("lock table referrals in access exclusive mode"))
        with readers(port, {"Authorization": f"Bearer {operator.key}"}):
            wait_for(engine, lambda waiting: waiting >= 4)
            for number in range(PRIORITY_WAKE_UP):
                body = json.dumps({**RED, "encounter": {"external_id": f"red-{number // 2}"}})  # each is sent twice
                statuses.append(ask(port, "POST", "/v1/intakes", body, headers)[0])
                ready.append(ask(port, "GET", "/health/ready")[0])
                time.sleep(key_cache.FRESH_SECONDS / 5)  # so that the key is looked up again now and then
            session.rollback()
    assert statuses == [202] * PRIORITY_WAKE_UP
    assert ready == [200] * PRIORITY_WAKE_UP


def wait_for(engine, enough) -> None:
    deadline = time.monotonic() + 10
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # a transaction looks once
        while not enough(connection.scalar(text(WAITING))):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_nothing_but_forms_touches_the_connections_that_store_forms(app, submitter, operator, referral):
    used = []
    event.listen(context_of(app).storing, "checkout", lambda *_: used.append("form"))
    referral("urgent")
    assert used
    used.clear()
    operator.get("/v1/queues")
    operator.get("/v1/queues/urgent/referrals")
    operator.get("/v1/events?after=0")
    app.test_client().get("/health/ready")
    app.test_client().get("/metrics")
    context_of(app).keys.find("rk_nobody_nothing")
    app.test_client().get("/v1/queues", headers={"Authorization": "Bearer rk_nobody_nothing"})
    app.test_client().post("/v1/intakes", json=RED, headers={"Authorization": "Bearer rk_nobody_nothing"})
    assert used == []
    assert submitter.post("/v1/intakes", RED).status_code == 202
    assert used == ["form"]
    assert send(submitter, json.dumps(line("one")).encode()).status_code == 200
    assert used == ["form"] * 2


@pytest.fixture
def engine_with_timeouts(settings, migrated):  # noqa: ARG001 - it needs a database
    engine = create_engine(settings, pool_size=2, autocommit=True)
    install_client_timeouts(engine)
    yield engine
    engine.dispose()


def test_the_server_gives_up_before_the_client(engine_with_timeouts):
    with engine_with_timeouts.connect() as connection:
        of_server = connection.scalar(text("select extract(epoch from current_setting('statement_timeout')::interval)"))
        of_lock = connection.scalar(text("select extract(epoch from current_setting('lock_timeout')::interval)"))
    assert of_lock < of_server == STATEMENT_SECONDS < ANSWER_SECONDS
    assert LIMITS["lock_timeout"]


@pytest.mark.parametrize(
    "slow",
    [
        lambda connection: connection.execute(text(SLOW)),
        lambda connection: RawStatement(text(SLOW)).execute(connection, {}),
    ],
    ids=["engine", "direct"],
)
@pytest.mark.parametrize("isolation", ["AUTOCOMMIT", "READ COMMITTED"])
def test_a_slow_statement_drops_no_connection(engine_with_timeouts, slow, isolation):
    opened = []
    event.listen(engine_with_timeouts, "connect", lambda *_: opened.append("connection"))
    engine = engine_with_timeouts.execution_options(isolation_level=isolation)
    with engine.connect() as one, engine.connect() as other:
        both = {pid_of(one), pid_of(other)}
    with pytest.raises(OperationalError) as caught, engine.begin() as connection:
        slow(connection)
    assert caught.value.orig.sqlstate == "57014"  # cancelled, by the server
    assert not caught.value.connection_invalidated
    with engine.connect() as one, engine.connect() as other:
        assert {pid_of(one), pid_of(other)} == both
    assert len(opened) == 2


def pid_of(connection):
    return connection.scalar(text("select pg_backend_pid()"))
