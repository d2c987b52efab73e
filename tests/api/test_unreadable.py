"""An identity that does not open is missing from its own referral, and from nothing else."""

import pytest
from sqlalchemy import select, update

from services.api.context import context_of
from shared.tables import Intake
from tests.api.conftest import Caller
from tests.api.test_canary import log_text  # noqa: F401 - a fixture
from tests.api.test_referrals import ACTIONS

# The bytes of a sealed value: 2 of the format, 1 with the length of the key id, the key id `test`, nonce and text.
DAMAGES = {
    "empty": lambda _: b"",
    "one byte": lambda sealed: sealed[:1],
    "no format": lambda sealed: sealed[2:],
    "the key id cut off": lambda sealed: sealed[:5],
    "the nonce cut off": lambda sealed: sealed[:14],
    "the text cut off": lambda sealed: sealed[:-1],
    "longer": lambda sealed: sealed + b"\x00",
    "a long key id": lambda sealed: sealed[:2] + b"\xff" + sealed[3:],
    "no key id": lambda sealed: sealed[:2] + b"\x00" + sealed[3:],
    "a key id that is no text": lambda sealed: sealed[:3] + b"\xff\xfe" + sealed[5:],
    "an unknown key": lambda sealed: sealed[:3] + b"tesu" + sealed[7:],
    "an altered byte": lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
    "only zeros": lambda sealed: bytes(len(sealed)),
}


@pytest.fixture
def damage(sessions):
    """Return a function that damages the identity of a referral."""

    def do(referral, how=DAMAGES["an altered byte"]):
        with sessions.begin() as session:
            sealed = bytes(session.scalar(select(Intake.identity).where(Intake.id == referral["intake_id"])))
            assert sealed.startswith(b"\x00\x02\x04test")
            assert how(sealed) != sealed
            row = update(Intake).where(Intake.id == referral["intake_id"])
            session.execute(row.values(identity=how(sealed)))

    return do


@pytest.mark.parametrize("how", DAMAGES.values(), ids=DAMAGES)
def test_the_worklist_shows_the_others_whole(how, damage, referral, operator):
    damaged, whole = referral("urgent"), referral("urgent", mrn="MRN-2")
    damage(damaged, how)
    answer = operator.get("/v1/queues/urgent/referrals")
    assert answer.status_code == 200
    shown = {each["id"]: each for each in answer.json["referrals"]}
    assert shown[whole["id"]] == whole
    assert not whole["identity_unreadable"]
    assert shown[damaged["id"]] == damaged | {"patient": None, "identity_unreadable": True}
    assert operator.get(damaged["links"]["self"]).json == shown[damaged["id"]]


@pytest.mark.parametrize("actions", [["acknowledge", "release"], ["acknowledge", "complete"], ["reroute"], ["return"]])
def test_it_is_worked_like_any_other(actions, damage, referral, operator):
    damaged = referral("neurology")
    damage(damaged)
    for action in actions:
        answer = operator.post(f"{damaged['links']['self']}/{action}", ACTIONS[action])
        assert answer.status_code == 200, answer.text
        assert (answer.json["patient"], answer.json["identity_unreadable"]) == (None, True)
    assert operator.get(damaged["links"]["events"]).status_code == 200
    assert operator.get("/v1/events").status_code == 200
    assert operator.get("/v1/queues").status_code == 200


def test_its_submitter_sees_no_difference(damage, referral, submitter):
    damaged = referral("urgent")
    before = submitter.get(damaged["links"]["self"]).json
    damage(damaged)
    assert submitter.get(damaged["links"]["self"]).json == before
    assert (before["patient"], before["identity_unreadable"]) == (None, False)


def test_it_is_logged_and_counted(damage, referral, operator, log_text, app):  # noqa: F811
    damaged = referral("urgent")
    damage(damaged)
    scraper = Caller(app.test_client(), context_of(app).settings.metrics_token)

    def counted():
        lines = scraper.get("/metrics").text.splitlines()
        return [float(line.split()[1]) for line in lines if line.startswith('psoas_failures_total{step="identity"}')]

    operator.get(damaged["links"]["self"])
    (before,) = counted()
    operator.get(damaged["links"]["self"])
    assert counted() == [before + 1]
    said = [line for line in log_text().splitlines() if "identity.unreadable" in line]
    assert len(said) == 2
    assert all(damaged["intake_id"] in line for line in said)
