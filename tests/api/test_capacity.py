"""Before connections or the disk are used up forms are refused, and red flags last."""

import json
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from services.api.app import POOL_SIZE
from services.api.capacity import Room
from services.api.parts import parts_of
from services.api.problems import ProblemError
from shared.settings import Settings
from shared.storage import GIB, MIB, Storage, create_storage, room_of
from tests.api.test_problems import ALL_OTHERS, frozen, is_problem, postmaster_of
from tests.api.test_server import ask, server
from tests.cases import case_for

__all__ = ["server"]  # a fixture

ROUTINE, RED = case_for("clinical_review", "routine").body(), case_for("urgent").body()
LONGEST_SECONDS = 10
RED_SECONDS = 5


@pytest.fixture
def capacity(app):
    capacity = parts_of(app).capacity
    yield capacity
    capacity.storage.room = "enough"


@pytest.fixture
def full(capacity):
    """Every place that routine forms have is taken."""
    taken = [capacity.taken("routine") for _ in range(POOL_SIZE)]
    for place in taken:
        place.__enter__()
    yield
    for place in taken:
        place.__exit__(None, None, None)


@pytest.mark.usefixtures("full")
def test_a_red_flag_finds_a_connection_where_routine_forms_have_to_go(submitter):
    refused = submitter.post("/v1/intakes", ROUTINE)
    assert is_problem(refused, 503)
    assert refused.json["type"] == "urn:psoas:problem:busy"
    assert int(refused.headers["Retry-After"]) > 0
    assert submitter.post("/v1/intakes", RED).status_code == 202


def test_threads_take_short_turns_until_the_last_batch_has_ended(capacity):
    usual = sys.getswitchinterval()
    with capacity.taken_by_batch():
        with capacity.taken_by_batch():
            assert sys.getswitchinterval() < usual
        assert sys.getswitchinterval() < usual
    assert sys.getswitchinterval() == usual


def test_who_waits_gets_the_place_that_is_given_back():
    room = Room(1)
    room.enter()
    threading.Timer(0.2, room.leave, (), {"failed": False}).start()
    room.enter()


def test_while_the_database_stands_still_one_form_at_a_time_tries():
    room = Room(4)
    for _ in range(2):
        room.enter()
    time.sleep(1.1)
    began = time.monotonic()
    for _ in range(10):
        with pytest.raises(ProblemError):
            room.enter()
    assert time.monotonic() - began < 5
    for _ in range(2):
        room.leave(failed=True)
    room.enter()
    with pytest.raises(ProblemError):
        room.enter()
    room.leave(failed=False)
    for _ in range(2):
        room.enter()


def test_who_comes_while_another_tries_waits_for_what_comes_of_it():
    room = Room(4)
    room.enter()
    time.sleep(1.1)
    threading.Timer(0.05, room.leave, (), {"failed": False}).start()
    room.enter()


def test_a_failure_among_forms_that_are_stored_turns_nobody_away():
    room = Room(4)
    for _ in range(3):
        room.enter()
    room.leave(failed=False)
    room.leave(failed=True)
    room.enter()


@pytest.mark.parametrize(("room", "routine", "red"), [("enough", 202, 202), ("low", 503, 202), ("none", 503, 503)])
def test_where_storage_is_low_routine_forms_are_refused_and_in_the_end_all(capacity, submitter, room, routine, red):
    capacity.storage.room = room
    answers = {"routine": submitter.post("/v1/intakes", ROUTINE), "red": submitter.post("/v1/intakes", RED)}
    assert [answer.status_code for answer in answers.values()] == [routine, red]
    for answer in answers.values():
        if answer.status_code == 503:
            assert is_problem(answer, 503)
            assert answer.json["type"] == "urn:psoas:problem:storage-low"
            assert int(answer.headers["Retry-After"]) > 0
    ready = submitter.get("/health/ready")
    assert (ready.status_code, ready.json["degraded"]) == (200, [] if room == "enough" else ["storage"])


@pytest.mark.parametrize(
    ("free", "size", "room"),
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
def test_how_much_room_there_is(free, size, room):
    assert room_of(free, size) == room


def test_the_scarcest_counts_and_what_was_seen_stays_where_nothing_can_be_seen():
    free = [100 * MIB, 50 * MIB]
    storage = Storage([lambda: (free[0], 100 * MIB), lambda: (free[1], 100 * MIB)])
    storage.look()
    assert storage.room == "low"
    free.clear()
    with pytest.raises(IndexError):
        storage.look()
    assert storage.room == "low"


def test_a_quota_and_a_disk_are_looked_at(settings, migrated, tmp_path):  # noqa: ARG001 - it needs a database
    def room(**chosen) -> str:
        storage = create_storage(Settings(**{**fields_of(settings), **chosen}))
        storage.look()
        return storage.room

    assert room() == "enough"
    assert room(storage_path=tmp_path) == "enough"
    assert room(database_most_gb=1000) == "enough"
    assert room(database_most_gb=0.001) == "none"


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
    took: dict[str, list[float]] = {"routine": [], "red": []}
    statuses: Counter[int] = Counter()
    over = threading.Event()

    def send(kind: str, body: str) -> None:
        while not over.is_set():
            began = time.monotonic()
            status = ask(port, "POST", "/v1/intakes", body, headers)[0]
            took[kind].append(time.monotonic() - began)
            statuses[status] += 1

    crowd = [threading.Thread(target=send, args=("routine", json.dumps(ROUTINE))) for _ in range(24)]
    with trouble(sessions):
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
    assert max(took["red"]) < RED_SECONDS
    assert max(took["routine"]) < LONGEST_SECONDS
    assert ask(port, "POST", "/v1/intakes", json.dumps(RED), headers)[0] == 202
