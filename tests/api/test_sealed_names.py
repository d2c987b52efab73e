"""What senders name things stands hashed and sealed, and a name means the same before and after it is stored so."""

import pytest
from sqlalchemy import func, select, update

from shared.store.names.idempotency_keys import HASHED
from shared.tables import IdempotencyKey, Intake
from tests.api.batches import line, post
from tests.api.batches import statuses as statuses_of
from tests.api.conftest import FACILITY
from tests.api.test_canary import log_text, stored
from tests.api.test_idempotency import identical, named
from tests.conftest import LOOKUP_KEY

__all__ = ["log_text"]  # a fixture

NAME, KEY = "QZNAME-Mary-Example", "QZKEY-Mary-Example"
OTHER_KEY = bytes(range(128, 160))
BEFORE = {
    "in the clear": ({"sealing_format": 1}, {"sealing_format": 2}),
    "sealed": ({"sealing_format": 2}, {"sealing_format": 1}),  # two processes of this release, while it is rolled
    "by the key before": ({}, {"lookup_key": OTHER_KEY, "previous_lookup_key": LOOKUP_KEY}),
    "by the key after": (
        {"lookup_key": OTHER_KEY, "previous_lookup_key": LOOKUP_KEY},
        {"lookup_key": LOOKUP_KEY, "previous_lookup_key": OTHER_KEY},
    ),
    "both": ({"sealing_format": 1}, {"lookup_key": OTHER_KEY, "previous_lookup_key": LOOKUP_KEY}),
}


@pytest.fixture(params=BEFORE, ids=list(BEFORE))
def turn(request, configured):
    """A function that turns the settings, from those before to those after."""
    before, after = BEFORE[request.param]
    configured(**before)
    return lambda: configured(**after)


def count(sessions):
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(Intake))


def test_a_senders_names_stand_nowhere_in_the_clear_and_are_shown_to_it(
    submitter, operator, sessions, triage_all, log_text
):
    first = submitter.post("/v1/intakes", named(NAME), Idempotency_Key=KEY)
    post(submitter, line(f"{KEY}-2", f"{NAME}-2"), line(f"{KEY}-3"))
    again = submitter.post("/v1/intakes", named(NAME), Idempotency_Key=KEY)
    triage_all()
    assert "QZ" not in stored(sessions)
    assert "Example" not in stored(sessions)
    assert "QZ" not in log_text()
    assert again.json == first.json
    assert first.json["external_id"] == NAME
    assert submitter.get(first.headers["Location"]).json["external_id"] == NAME
    listed = submitter.get("/v1/intakes").json["intakes"]
    assert {each["external_id"] for each in listed} == {NAME, f"{NAME}-2", None}
    (found,) = submitter.get(f"/v1/intakes?external_id={NAME}").json["intakes"]
    assert found["id"] == first.json["id"]
    (referral,) = operator.post("/v1/referrals/search", {"external_id": NAME}).json["referrals"]
    assert referral["intake_id"] == first.json["id"]
    with sessions() as session:
        assert all(key.startswith(HASHED) for key in session.scalars(select(IdempotencyKey.key)))


def test_a_form_is_known_by_its_names_however_they_were_stored(turn, submitter, sessions):
    first = submitter.post("/v1/intakes", named(NAME), Idempotency_Key=KEY)
    only_key = submitter.post("/v1/intakes", named(), Idempotency_Key=f"{KEY}-2")
    only_id = submitter.post("/v1/intakes", named(f"{NAME}-3"))
    turn()
    for _ in range(2):
        assert identical(first, submitter.post("/v1/intakes", named(NAME), Idempotency_Key=KEY))
        assert identical(first, submitter.post("/v1/intakes", named(NAME)))
        assert identical(only_key, submitter.post("/v1/intakes", named(), Idempotency_Key=f"{KEY}-2"))
        assert identical(only_id, submitter.post("/v1/intakes", named(f"{NAME}-3"), Idempotency_Key="new"))
    assert count(sessions) == 3


def test_a_name_is_refused_to_another_form_however_it_was_stored(turn, submitter, sessions):
    submitter.post("/v1/intakes", named(NAME), Idempotency_Key=KEY)
    submitter.post("/v1/intakes", named(f"{NAME}-2"), Idempotency_Key=f"{KEY}-2")
    turn()
    for _ in range(2):
        other = submitter.post("/v1/intakes", named(NAME, onset="sudden"))
        assert (other.status_code, other.json["type"]) == (409, "urn:psoas:problem:external-id-taken")
        other = submitter.post("/v1/intakes", named(onset="sudden"), Idempotency_Key=KEY)
        assert (other.status_code, other.json["type"]) == (422, "urn:psoas:problem:idempotency-key-reused")
        other = submitter.post("/v1/intakes", named(NAME), Idempotency_Key=f"{KEY}-2")
        assert (other.status_code, other.json["type"]) == (409, "urn:psoas:problem:names-differ")
    assert count(sessions) == 2


def test_so_it_is_in_a_batch(turn, submitter, sessions):
    before = [line(KEY, NAME), line(f"{KEY}-2"), line(None, f"{NAME}-3")]
    assert statuses_of(post(submitter, *before)) == [202] * 3
    turn()
    others = [line(f"{KEY}-4", NAME, onset="sudden"), line(KEY, onset="sudden"), line(f"{KEY}-5", f"{NAME}-5")]
    for _ in range(2):
        assert statuses_of(post(submitter, *before, *others)) == [202] * 3 + [409, 422, 202]
    assert count(sessions) == 4


def test_a_name_is_found_however_it_was_stored(turn, submitter, operator, triage_all):
    first = submitter.post("/v1/intakes", named(NAME)).json["id"]
    turn()
    submitter.post("/v1/intakes", named(f"{NAME}-2"))
    triage_all()
    assert [each["id"] for each in submitter.get(f"/v1/intakes?external_id={NAME}").json["intakes"]] == [first]
    found = operator.post("/v1/referrals/search", {"external_id": NAME}).json["referrals"]
    assert [each["intake_id"] for each in found] == [first]
    assert submitter.get(f"/v1/intakes/{first}").json["external_id"] == NAME


def test_a_row_of_the_release_before_keeps_its_name(submitter, sessions):
    """It has the external id in the clear and no hash."""
    first = submitter.post("/v1/intakes", named(NAME))
    with sessions.begin() as session:
        session.execute(update(Intake).values(external_id=NAME, external_id_hash=None, external_id_sealed=None))
    assert identical(first, submitter.post("/v1/intakes", named(NAME)))
    assert statuses_of(post(submitter, line("k", NAME), line("k2", NAME, onset="sudden"))) == [202, 409]
    assert count(sessions) == 1


def test_the_hash_alone_keeps_a_name_for_its_facility(submitter, caller, sessions):
    first = submitter.post("/v1/intakes", named(NAME))
    neighbour = caller("submitter", facility="city").post("/v1/intakes", named(NAME))
    assert first.json["id"] != neighbour.json["id"]
    with sessions() as session:
        hashes = session.execute(select(Intake.facility, Intake.external_id_hash)).all()
    assert len({hashed for _, hashed in hashes}) == len(hashes) == 2
    assert FACILITY in dict(hashes)


def test_an_external_id_that_does_not_open_is_null(submitter, sessions):
    first = submitter.post("/v1/intakes", named(NAME))
    with sessions.begin() as session:
        session.execute(update(Intake).values(external_id_sealed=b"damaged"))
    shown = submitter.get(first.headers["Location"])
    assert (shown.status_code, shown.json["external_id"]) == (200, None)
    assert identical(first, first)
