"""A batch is stored whole or not at all, whoever else posts the same and whatever fails meanwhile."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from sqlalchemy import func, insert, select
from uuid_utils.compat import uuid7

from services.api.admission.bulkheads import BATCHES
from services.api.context import context_of
from services.api.intakes import accept
from services.api.intakes.insert_or_replay import insert_all
from shared.store.names.external_ids import external_id_hash
from shared.tables import IdempotencyKey, Intake
from tests.api.batches import NDJSON, PATH, form, line, outcomes_of, post, send, statuses
from tests.api.conftest import FACILITY, Caller
from tests.api.test_canary import CANARY, log_text, tells
from tests.api.test_idempotency import stored, stored_as
from tests.api.test_metrics import scrape
from tests.api.test_problems import cut_off, is_problem, whose_first_answer_is_lost
from tests.api.test_server import ask, server
from tests.cases import case_for
from tests.conftest import LOOKUP_KEY
from tests.program import all_gone, descendants

__all__ = ["cut_off", "log_text", "scrape", "server"]  # fixtures

RED = case_for("urgent").body()
CROSSED = {
    "keys": ("k", None, "k", None),
    "external ids": (None, "E", None, "E"),
    "both": ("k", "E", "k", "E"),
    "both, singly only the key": ("k", "E", "k", None),
    "both, singly only the external id": ("k", "E", None, "E"),
}


def insist(post_once):
    """Post until it is taken, as senders do."""
    while (answer := post_once()).status_code == 503:
        pass
    return answer


def named(key, external_id, number):
    return key and f"{key}{number}", external_id and f"{external_id}{number}"


@pytest.mark.parametrize("names", CROSSED.values(), ids=CROSSED.keys())
def test_the_same_names_at_once_in_batches_and_singly_are_one_intake_each(names, app, submitter, sessions):
    """The body is the same for the same name, so nobody is refused, but where only one side names the external id."""
    batched, single = names[:2], names[2:]
    same_body = batched[1] == single[1]

    def post_batch(turn):
        numbers = range(100) if turn % 2 else reversed(range(100))
        content = content_of(*(line(*named(*batched, each)) for each in numbers))
        answer = insist(lambda: send(Caller(app.test_client(), submitter.key), content))
        return [(each["status"], each.get("intake", {}).get("id"), "replayed" in each) for each in outcomes_of(answer)]

    def post_singly(number):
        key, external_id = named(*single, number % 100)
        headers = {"Idempotency_Key": key} if key else {}
        sender = Caller(app.test_client(), submitter.key)
        answer = insist(lambda: sender.post("/v1/intakes", form(external_id), **headers))
        return [(answer.status_code, answer.json.get("id"), "Idempotency-Replayed" in answer.headers)]

    with ThreadPoolExecutor(12) as crowd:
        batches = [crowd.submit(post_batch, turn) for turn in range(2)]
        singles = [crowd.submit(post_singly, number) for number in range(200)]
        seen = [each for future in (*batches, *singles) for each in future.result()]
    assert {status for status, _, _ in seen} <= ({202} if same_body else {202, 422})
    assert len({intake for status, intake, _ in seen if status == 202}) == stored(sessions) == 100
    assert sum(status == 202 and not replayed for status, _, replayed in seen) == 100


@contextmanager
def taken_by_another(sessions, **names):
    """Another request, which has not committed yet, takes a name."""
    with sessions() as session:
        own, name = uuid7(), names.get("external_id")
        session.execute(
            insert(Intake).values(
                id=own, facility=FACILITY, external_id_hash=name and external_id_hash(LOOKUP_KEY, FACILITY, name),
                lane="routine", today=func.now(), answers={}, identity=b"", mrn_hash=b"", body_hash=b"", request_id="r",
            )
        )  # fmt: skip
        if "key" in names:
            session.execute(
                insert(IdempotencyKey).values(facility=FACILITY, key=stored_as(names["key"]), intake_id=own)
            )
        yield session


def content_of(*lines) -> bytes:
    return "\n".join(json.dumps(each) for each in lines).encode()


@pytest.mark.parametrize("where", ["among the new ones", "after the new ones"])
def test_a_database_that_fails_half_way_stores_nothing_and_the_same_is_taken_later(where, submitter, sessions):
    first = submitter.post("/v1/intakes", form()).json["id"]
    lines = [line(f"k{number}", f"E{number}") for number in range(50)]
    if where == "after the new ones":
        lines[30]["form"]["amends"] = first
    with taken_by_another(sessions, external_id="E30") as session:
        answer = send(submitter, content_of(*lines))  # it waits for the other for as long as it may
        assert is_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        session.rollback()
    assert stored(sessions) == 1
    assert statuses(post(submitter, *lines)) == [202] * 50


def test_what_another_takes_while_a_batch_waits_for_it_is_refused_alone(app, submitter, sessions):
    lines = [line(f"k{number}", f"E{number}") for number in range(9)]
    with taken_by_another(sessions, external_id="E4") as session, ThreadPoolExecutor(1) as sender:
        answer = sender.submit(post, Caller(app.test_client(), submitter.key), *lines)
        with pytest.raises(TimeoutError):
            answer.result(0.5)
        session.commit()
        outcomes = answer.result(20)
    assert statuses(outcomes) == [202] * 4 + [409] + [202] * 4
    assert stored(sessions) == 9
    assert statuses(post(submitter, line("k4"))) == [202]  # the key of the line that was refused is still free


def test_a_server_killed_half_way_has_stored_nothing(server, app, submitter, sessions):
    served, port, headers = server
    lines = [line(f"k{number}", f"E{number}") for number in range(50)]
    (worker,) = descendants(served.process.pid)
    with taken_by_another(sessions, external_id="E30") as session:
        sender = HTTPConnection("127.0.0.1", port, timeout=20)
        sender.request("POST", PATH, content_of(*lines), headers | {"Content-Type": NDJSON})
        sender.sock.settimeout(1)
        with pytest.raises(TimeoutError):
            sender.getresponse()
        os.kill(worker, signal.SIGKILL)
        assert all_gone({worker}, 5)
        sender.close()
        session.rollback()
    assert statuses(post(Caller(app.test_client(), submitter.key), *lines)) == [202] * 50
    assert stored(sessions) == 50


def test_a_commit_whose_answer_was_lost_is_not_done_twice(submitter, sessions, monkeypatch):
    calls = []
    monkeypatch.setattr(accept, "insert_all", whose_first_answer_is_lost(insert_all, calls))
    outcomes = post(submitter, line("k1"), line(None, "E-2"), line("k1"))
    assert (statuses(outcomes), len(calls)) == ([202] * 3, 2)
    assert [each.get("replayed") for each in outcomes] == [None, None, True]
    assert stored(sessions) == 2


def test_without_a_database_it_is_503(cut_off):
    assert is_problem(send(cut_off, content_of(line("k1"))), 503)


def test_batches_take_two_places_and_red_flags_come_in_beside_them(app, submitter):
    admission = context_of(app).admission
    places = [admission.batch_slot() for _ in range(BATCHES)]
    for place in places:
        place.__enter__()
    try:
        refused = send(submitter, content_of(line("k1")))
        assert is_problem(refused, 503)
        assert refused.json["type"] == "urn:psoas:problem:busy"
        assert int(refused.headers["Retry-After"]) > 0
        assert submitter.post("/v1/intakes", RED).status_code == 202
    finally:
        for place in places:
            place.__exit__(None, None, None)
    assert statuses(post(submitter, line("k1"))) == [202]


@pytest.mark.parametrize(("level", "status"), [("enough", 200), ("low", 503), ("none", 503)])
def test_where_storage_is_low_a_batch_is_refused_red_flags_and_all(level, status, app, submitter):
    disk = context_of(app).admission.disk
    disk.level = level
    try:
        answer = send(submitter, content_of({"idempotency_key": "k1", "form": RED}))
    finally:
        disk.level = "enough"
    assert answer.status_code == status
    assert status == 200 or answer.json["type"] == "urn:psoas:problem:storage-low"


def test_each_line_moves_the_numbers(submitter, scrape):
    def counts():
        return [scrape()("psoas_intake_seconds_count", outcome=each) for each in ("accepted", "replayed", "refused")]

    before = counts()
    post(submitter, line("k1"), line("k2"), line("k3"), line("k1"), line("k3"), line("k4", onset="never"))
    assert send(submitter, b"").status_code == 400
    assert [after - count for after, count in zip(counts(), before, strict=True)] == [3, 2, 1]


def test_nothing_of_a_form_is_in_an_answer_or_a_log_line(submitter, log_text, sessions):
    wrong = CANARY | {"symptoms": {"cannot_lift_leg_supine": "CANARY"}}
    lines = [
        *({"idempotency_key": "k1", "form": CANARY}, {"idempotency_key": "k1", "form": CANARY | {"history": {}}}),
        *(
            {"idempotency_key": "k2", "form": wrong},
            {"CANARY": CANARY},
            {"idempotency_key": "k3", "form": {"CANARY Smith": 1}},
        ),
        *({"idempotency_key": "k 4", "form": CANARY}, {"form": CANARY}),
    ]
    content = content_of(*lines) + b'\n{"CANARY": '
    answer = send(submitter, content)
    assert statuses(outcomes_of(answer)) == [202, 422, 422, 400, 422, 400, 422, 400]
    assert tells(answer.text) == tells(log_text()) == []
    (request,) = [json.loads(each) for each in log_text().splitlines()]
    assert (request["route"], request["count"]) == (PATH, 8)
    with sessions() as session:
        assert tells(repr(session.execute(select(Intake.__table__)).all())) == []


def test_a_body_of_8_mib_is_taken_and_a_larger_one_refused_over_the_wire(server):
    _, port, headers = server
    ndjson = headers | {"Content-Type": NDJSON}
    lines = [json.dumps(line(f"k{number}")).ljust(60_000) + "\n" for number in range(139)]
    content = "".join(lines).encode()
    for padding, expected in ((0, 200), (8 * 2**20 - len(content), 200), (8 * 2**20 + 1 - len(content), 413)):
        chunks = iter([content, b" " * padding])
        assert ask(port, "POST", PATH, chunks, ndjson, encode_chunked=True)[0] == expected
    assert ask(port, "POST", PATH, content + b" " * 2**20, ndjson)[0] == 413
