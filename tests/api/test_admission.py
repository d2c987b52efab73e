"""Before connections or the disk are used up forms are refused, and red flags last."""

import json
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from services.api.admission.bulkheads import Bulkhead
from services.api.app import POOL_SIZE
from services.api.context import context_of
from services.api.http.problems import ProblemError
from shared.monitoring.disk_level import GIB, MIB, DiskMonitor, create_disk_monitor, disk_level_of
from shared.platform.settings import Settings
from tests.api.test_problems import ALL_OTHERS, frozen, is_problem, postmaster_of
from tests.api.test_server import ask, server
from tests.cases import case_for
from tests.driver.contention import Contention

__all__ = ["server"]  # a fixture

ROUTINE, RED = case_for("clinical_review", "routine").body(), case_for("urgent").body()
MAX_SECONDS = 10
RED_SECONDS = 5


@pytest.fixture
def admission(app):
    admission = context_of(app).admission
    yield admission
    admission.disk.level = "enough"


@pytest.fixture
def full(admission):
    """Every place that routine forms have is taken."""
    slot = [admission.slot("routine") for _ in range(POOL_SIZE)]
    for place in slot:
        place.__enter__()
    yield
    for place in slot:
        place.__exit__(None, None, None)


@pytest.mark.usefixtures("full")
def test_a_red_flag_finds_a_connection_where_routine_forms_have_to_go(submitter):
    refused = submitter.post("/v1/intakes", ROUTINE)
    assert is_problem(refused, 503)
    assert refused.json["type"] == "urn:psoas:problem:busy"
    assert int(refused.headers["Retry-After"]) > 0
    assert submitter.post("/v1/intakes", RED).status_code == 202


def test_threads_take_short_turns_until_the_last_batch_has_ended(admission):
    usual = sys.getswitchinterval()
    with admission.batch_slot():
        with admission.batch_slot():
            assert sys.getswitchinterval() < usual
        assert sys.getswitchinterval() < usual
    assert sys.getswitchinterval() == usual


def test_who_waits_gets_the_place_that_is_given_back():
    level = Bulkhead(1)
    level.enter()
    threading.Timer(0.2, level.leave, (), {"failed": False}).start()
    level.enter()


def test_while_the_database_stands_still_one_form_at_a_time_tries():
    level = Bulkhead(4)
    for _ in range(2):
        level.enter()
    time.sleep(1.1)
    began = time.monotonic()
    for _ in range(10):
        with pytest.raises(ProblemError):
            level.enter()
    assert time.monotonic() - began < 5
    for _ in range(2):
        level.leave(failed=True)
    level.enter()
    with pytest.raises(ProblemError):
        level.enter()
    level.leave(failed=False)
    for _ in range(2):
        level.enter()


def test_who_comes_while_another_tries_waits_for_what_comes_of_it():
    level = Bulkhead(4)
    level.enter()
    time.sleep(1.1)
    threading.Timer(0.05, level.leave, (), {"failed": False}).start()
    level.enter()


def test_a_failure_among_forms_that_are_stored_turns_nobody_away():
    level = Bulkhead(4)
    for _ in range(3):
        level.enter()
    level.leave(failed=False)
    level.leave(failed=True)
    level.enter()


@pytest.mark.parametrize(("level", "routine", "red"), [("enough", 202, 202), ("low", 503, 202), ("none", 503, 503)])
def test_where_storage_is_low_routine_forms_are_refused_and_in_the_end_all(admission, submitter, level, routine, red):
    admission.disk.level = level
    answers = {"routine": submitter.post("/v1/intakes", ROUTINE), "red": submitter.post("/v1/intakes", RED)}
    assert [answer.status_code for answer in answers.values()] == [routine, red]
    for answer in answers.values():
        if answer.status_code == 503:
            assert is_problem(answer, 503)
            assert answer.json["type"] == "urn:psoas:problem:storage-low"
            assert int(answer.headers["Retry-After"]) > 0
    ready = submitter.get("/health/ready")
    assert (ready.status_code, ready.json["degraded"]) == (200, [] if level == "enough" else ["storage"])


@pytest.mark.parametrize(
    ("free", "size", "level"),
    [
        (300 * GIB, 500 * GIB, "enough"),
        (1 * GIB, 500 * GIB, "enough"),
        (1 * GIB - 1, 500 * GIB, "low"),
        (256 * MIB, 500 * GIB, "low"),
        (256 * MIB - 1, 500 * GIB, "none"),
        (200 * MIB, 4 * GIB, "low"),  # a twentieth of a small disk
        (205 * MIB, 4 * GIB, "enough"),
        (64 * MIB, 100 * MIB, "enough"),  # four segments of the log
        (63 * MIB, 100 * MIB, "low"),
        (31 * MIB, 100 * MIB, "none"),
        (-5 * MIB, 100 * MIB, "none"),
    ],
)
def test_how_much_room_there_is(free, size, level):
    assert disk_level_of(free, size) == level


def test_the_scarcest_counts_and_what_was_seen_stays_where_nothing_can_be_seen():
    free = [100 * MIB, 50 * MIB]
    disk = DiskMonitor([lambda: (free[0], 100 * MIB), lambda: (free[1], 100 * MIB)])
    disk.look()
    assert disk.level == "low"
    free.clear()
    with pytest.raises(IndexError):
        disk.look()
    assert disk.level == "low"


def test_a_quota_and_a_disk_are_looked_at(settings, migrated, tmp_path):  # noqa: ARG001 - it needs a database
    def level(**chosen) -> str:
        disk = create_disk_monitor(Settings(**{**fields_of(settings), **chosen}))
        disk.look()
        return disk.level

    assert level() == "enough"
    assert level(storage_path=tmp_path) == "enough"
    assert level(database_most_gb=1000) == "enough"
    assert level(database_most_gb=0.001) == "none"


def fields_of(settings: Settings) -> dict:
    return {name: getattr(settings, name) for name in Settings.__slots__}


@contextmanager
def frozen_server(sessions):
    with sessions() as session:
        server = [*session.scalars(text(ALL_OTHERS)).all(), postmaster_of(session)]
    with frozen(server):
        yield


@contextmanager
def locked_table(sessions):
    with sessions.begin() as session:
        session.execute(text("lock table intakes in access exclusive mode"))
        yield


@pytest.mark.parametrize("trouble", [frozen_server, locked_table])
def test_a_crowd_before_a_database_in_trouble_holds_up_no_red_flag(server, sessions, trouble):
    """Half as many senders again as there are threads ask again at once, whatever they are told."""
    _, port, headers = server
    assert ask(port, "POST", "/v1/intakes", json.dumps(ROUTINE), headers)[0] == 202
    asked: dict[str, list[tuple[float, float]]] = {"routine": [], "red": []}
    statuses: Counter[int] = Counter()
    over = threading.Event()

    def send(kind: str, body: str) -> None:
        while not over.is_set():
            began = time.monotonic()
            status = ask(port, "POST", "/v1/intakes", body, headers)[0]
            asked[kind].append((began, time.monotonic()))
            statuses[status] += 1

    crowd = [threading.Thread(target=send, args=("routine", json.dumps(ROUTINE))) for _ in range(24)]
    with Contention() as contention, trouble(sessions):
        for sender in crowd:
            sender.start()
        time.sleep(0.3)
        red = threading.Thread(target=send, args=("red", json.dumps(RED)))
        red.start()
        time.sleep(6)
        over.set()
        for sender in (*crowd, red):
            sender.join()
    assert set(statuses) <= {202, 503}
    took = {kind: max((end - begin) / contention.stretch(begin, end) for begin, end in asked[kind]) for kind in asked}
    assert took["red"] < RED_SECONDS
    assert took["routine"] < MAX_SECONDS
    assert ask(port, "POST", "/v1/intakes", json.dumps(RED), headers)[0] == 202
