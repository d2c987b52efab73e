"""However often and under whichever of its names a form is posted, it is stored once."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from shared.store.names import idempotency_keys
from shared.tables import IdempotencyKey, Intake
from tests.api.conftest import FACILITY, Caller
from tests.api.test_intakes import MINIMAL
from tests.cases import case_for
from tests.conftest import LOOKUP_KEY

SAME = ("id", "external_id", "lane", "received_at")


def named(external_id: str | None = None, **symptoms):
    body = deepcopy(MINIMAL)
    body["symptoms"] |= symptoms
    return body | ({"encounter": {"external_id": external_id}} if external_id else {})


def stored(sessions) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(Intake))


def identical(*answers) -> bool:
    return len({tuple(answer.json[name] for name in SAME) for answer in answers}) == 1


def test_the_same_key_and_body_lead_to_the_same_intake(submitter, sessions):
    first = submitter.post("/v1/intakes", named(), Idempotency_Key="k1")
    again = submitter.post("/v1/intakes", named(), Idempotency_Key="k1")
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.status_code == 202
    assert again.json == first.json
    assert again.headers["Location"] == first.headers["Location"]
    assert stored(sessions) == 1


def test_a_key_whose_intake_was_refused_stays_free(submitter, sessions):
    submitter.post("/v1/intakes", named("E-1"))
    refused = submitter.post("/v1/intakes", named("E-1", pain_score=9), Idempotency_Key="k1")
    assert (refused.status_code, refused.json["type"]) == (409, "urn:psoas:problem:external-id-taken")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
    assert submitter.post("/v1/intakes", named("E-2"), Idempotency_Key="k1").status_code == 202


def test_a_replay_tells_the_present_progress(submitter, triage_all):
    first = submitter.post("/v1/intakes", case_for("urgent").body(), Idempotency_Key="k1")
    triage_all()
    again = submitter.post("/v1/intakes", case_for("urgent").body(), Idempotency_Key="k1")
    assert again.status_code == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == submitter.get(first.headers["Location"]).json


def test_the_same_body_means_equal_json_values(submitter, sessions):
    first = named(duration_days=3)
    again = {key: dict(reversed(value.items())) for key, value in reversed(named(duration_days=3.0).items())}
    assert list(first) != list(again)
    one = submitter.post("/v1/intakes", first, Idempotency_Key="k1")
    two = submitter.post("/v1/intakes", again, Idempotency_Key="k1")
    assert identical(one, two)
    assert stored(sessions) == 1


@pytest.mark.parametrize(
    "other",
    [named(onset="sudden"), named(duration_days=3.5), named("E1"), named(onset=None), {**named(), "history": {}}],
)
def test_the_same_key_with_another_body_is_422(other, submitter, sessions):
    submitter.post("/v1/intakes", named(), Idempotency_Key="k1")
    answer = submitter.post("/v1/intakes", other, Idempotency_Key="k1")
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:psoas:problem:idempotency-key-reused"
    assert stored(sessions) == 1


def test_without_a_name_every_post_is_another_intake(submitter, sessions):
    assert submitter.post("/v1/intakes", named()).json["id"] != submitter.post("/v1/intakes", named()).json["id"]
    assert stored(sessions) == 2


def test_the_scope_of_names_is_the_facility(submitter, caller, sessions):
    neighbour = caller("submitter", facility="city")
    colleague = caller("submitter", facility="st-marys")
    first = submitter.post("/v1/intakes", named("E1"), Idempotency_Key="k1")
    assert identical(first, colleague.post("/v1/intakes", named("E1"), Idempotency_Key="k1"))
    assert neighbour.post("/v1/intakes", named("E1", onset="sudden"), Idempotency_Key="k1").status_code == 202
    assert stored(sessions) == 2


def test_the_same_external_id_with_the_same_body_replays(submitter, sessions):
    first = submitter.post("/v1/intakes", named("E1"))
    again = submitter.post("/v1/intakes", named("E1"))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert identical(first, again)
    assert stored(sessions) == 1


def test_the_same_external_id_with_another_body_is_409_and_names_the_first(submitter, sessions):
    first = submitter.post("/v1/intakes", named("E1"))
    answer = submitter.post("/v1/intakes", named("E1", onset="sudden"))
    assert answer.status_code == 409
    assert answer.json["intake_id"] == first.json["id"]
    assert first.json["id"] in answer.json["detail"]
    assert stored(sessions) == 1


def test_a_key_and_an_id_that_name_different_intakes_are_409(submitter, sessions):
    submitter.post("/v1/intakes", named("E1"), Idempotency_Key="k1")
    submitter.post("/v1/intakes", named("E2"), Idempotency_Key="k2")
    answer = submitter.post("/v1/intakes", named("E2"), Idempotency_Key="k1")
    assert answer.status_code == 409
    assert answer.json["type"] == "urn:psoas:problem:names-differ"
    assert stored(sessions) == 2


def test_a_new_key_for_a_known_external_id_is_remembered(submitter):
    submitter.post("/v1/intakes", named("E1"))
    submitter.post("/v1/intakes", named("E1"), Idempotency_Key="late")
    assert submitter.post("/v1/intakes", named("E2"), Idempotency_Key="late").status_code == 422


def test_a_refused_form_is_not_remembered(submitter):
    assert submitter.post("/v1/intakes", named(onset="never"), Idempotency_Key="k1").status_code == 422
    assert submitter.post("/v1/intakes", named(), Idempotency_Key="k1").status_code == 202


def test_a_key_names_its_intake_for_seven_days(submitter, sessions):
    first = submitter.post("/v1/intakes", named(), Idempotency_Key="k1")
    age(sessions, timedelta(days=6, hours=23))
    assert identical(first, submitter.post("/v1/intakes", named(), Idempotency_Key="k1"))
    age(sessions, timedelta(hours=2))
    fresh = submitter.post("/v1/intakes", named(onset="sudden"), Idempotency_Key="k1")
    assert fresh.status_code == 202
    assert identical(fresh, submitter.post("/v1/intakes", named(onset="sudden"), Idempotency_Key="k1"))


def test_keys_older_than_that_are_forgotten(submitter, sessions):
    submitter.post("/v1/intakes", named(), Idempotency_Key="old")
    age(sessions, timedelta(days=8))
    submitter.post("/v1/intakes", named(), Idempotency_Key="young")
    with sessions.begin() as session:
        assert idempotency_keys.delete_old_keys(session) == 1
        assert session.scalars(select(IdempotencyKey.key)).all() == [stored_as("young")]


def stored_as(key: str) -> str:
    return idempotency_keys.stored_key(key, FACILITY, [LOOKUP_KEY], hashed=True).now


def age(sessions, by: timedelta) -> None:
    with sessions.begin() as session:
        session.execute(update(IdempotencyKey).values(created_at=IdempotencyKey.created_at - by))


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "caf\u00e9", "tab\there"])
def test_a_key_that_is_none_is_400(key, submitter, sessions):
    assert submitter.post("/v1/intakes", named(), Idempotency_Key=key).status_code == 400
    assert stored(sessions) == 0


@pytest.mark.parametrize("key", ["k", "x" * 255, '{"a":[1]}~!\''])
def test_any_visible_characters_are_a_key(key, submitter):
    assert submitter.post("/v1/intakes", named(), Idempotency_Key=key).status_code == 202


@pytest.mark.parametrize(
    ("key", "external_id"), [("k1", None), (None, "E1"), ("k1", "E1")], ids=["by key", "by external id", "by both"]
)
def test_64_at_once_are_one_intake(key, external_id, app, submitter, sessions):
    headers = {"Idempotency_Key": key} if key else {}

    def post(_: int):
        return Caller(app.test_client(), submitter.key).post("/v1/intakes", named(external_id), **headers)

    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(post, range(64)))
    assert {answer.status_code for answer in answers} == {202}
    assert identical(*answers)
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert stored(sessions) == 1


def test_keys_and_ids_that_cross_at_once_never_make_two_of_one_name(app, submitter, sessions):
    def post(number: int):
        client = Caller(app.test_client(), submitter.key)
        return client.post("/v1/intakes", named(f"E{number % 4}"), Idempotency_Key=f"k{number % 6}")

    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(post, range(96)))
    assert {answer.status_code for answer in answers} <= {202, 409, 422}
    ids = {answer.json["external_id"]: answer.json["id"] for answer in answers if answer.status_code == 202}
    assert all(answer.json["id"] == ids[answer.json["external_id"]] for answer in answers if answer.status_code == 202)
    assert stored(sessions) == len(ids)
