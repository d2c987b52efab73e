"""Answers from two at once, with a hospital's own version, or cut off half way: one referral stays open."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from services.api.app import create_app
from services.api.referrals.answering import new_version
from shared.tables import Event, Intake, Referral
from tests.api.conftest import NOW, Caller
from tests.cases import born, case_for

BY = {"by": "Nurse B. Lind"}
RED = {"symptoms.bladder_change": "new_or_worse", "symptoms.onset": "sudden"}
DAYS = {"symptoms.duration_days": 3}
ROUNDS = 10
SECONDS = 30


def form(amends=None, **symptoms):
    body = born(case_for("clinical_review", "routine").body(**symptoms))
    return body | ({"amends": amends} if amends else {})


@pytest.fixture
def first(submitter, operator, triage_all):
    """Return a function that posts a form and returns its referral."""

    def of():
        intake = submitter.post("/v1/intakes", form()).json
        triage_all()
        return operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json

    return of


@pytest.fixture
def as_operator(app, operator):
    """Return a function that returns the operator for a thread of its own."""
    return lambda: Caller(app.test_client(), operator.key)


def answers_path(referral):
    return f"{referral['links']['self']}/answers"


def chains(sessions):
    """Return, by the first form of each case, its referrals."""
    with sessions() as session:
        rows = session.execute(select(Intake, Referral).outerjoin(Referral, Referral.intake_id == Intake.id)).all()
    found = {}
    for intake, referral in rows:
        found.setdefault(intake.first_version or intake.id, []).append((intake, referral))
    return found


def assert_one_open(sessions, versions):
    for chain in chains(sessions).values():
        assert len(chain) == versions
        assert all(referral is not None and intake.status == "triaged" for intake, referral in chain)
        (survivor,) = (referral for _, referral in chain if referral.status in ("queued", "acknowledged"))
        by_id = {referral.id: referral for _, referral in chain}
        for _, referral in chain:
            end = referral
            while end.superseded_by:
                end = by_id[end.superseded_by]
            assert end.id == survivor.id
        yield survivor


def test_of_two_nurses_at_once_one_is_told_whose_answers_came_first(first, as_operator, sessions):
    for _ in range(ROUNDS):
        calm = first()
        both = threading.Barrier(2)

        def answer(answers, referral=calm, both=both):
            caller = as_operator()
            both.wait(SECONDS)
            return caller.post(answers_path(referral), BY | {"answers": answers})

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(answer, [RED, DAYS]))
        won, lost = sorted(done, key=lambda each: each.status_code)
        assert (won.status_code, lost.status_code) == (200, 409), [each.text for each in done]
        assert lost.json["superseded_by"] == won.json["id"]
    assert len(list(assert_one_open(sessions, versions=2))) == ROUNDS


def test_a_version_of_the_hospital_meanwhile_and_the_answers_leave_one_open(
    first, as_operator, submitter, sessions, triage_all
):
    """Posted and triaged while the nurse answers: whoever is first, the case is as urgent as the answers say."""
    for number in range(ROUNDS):
        calm = first()
        both = threading.Barrier(2)

        def answer(referral=calm, both=both):
            caller = as_operator()
            both.wait(SECONDS)
            return caller.post(answers_path(referral), BY | {"answers": RED})

        with ThreadPoolExecutor(1) as pool:
            if number % 2:  # it waits already
                assert submitter.post("/v1/intakes", form(amends=calm["intake_id"])).status_code == 202
            answered = pool.submit(answer)
            both.wait(SECONDS)
            if not number % 2:
                assert submitter.post("/v1/intakes", form(amends=calm["intake_id"])).status_code == 202
            triage_all()
            done = answered.result(SECONDS)
        triage_all()
        if done.status_code == 409:
            newer = {"links": {"self": f"/v1/referrals/{done.json['superseded_by']}"}}
            assert as_operator().post(answers_path(newer), BY | {"answers": RED}).status_code == 200
    for chain in chains(sessions).values():
        opened = [referral for _, referral in chain if referral.status in ("queued", "acknowledged")]
        assert [(each.queue, each.priority) for each in opened] == [("urgent", 0)]


def test_a_waiting_version_of_the_hospital_does_not_undo_the_answers(
    first, as_operator, submitter, sessions, triage_all
):
    calm = first()
    submitter.post("/v1/intakes", form(amends=calm["intake_id"]))
    new = as_operator().post(answers_path(calm), BY | {"answers": RED}).json
    triage_all()
    (survivor,) = assert_one_open(sessions, versions=3)
    assert (str(survivor.id), survivor.queue, survivor.priority) == (new["id"], "urgent", 0), "it is the newest"


def test_a_version_of_the_hospital_that_waits_may_raise_what_was_answered(
    first, as_operator, submitter, sessions, triage_all
):
    calm = first()
    submitter.post("/v1/intakes", form(amends=calm["intake_id"], bladder_change="new_or_worse", onset="sudden"))
    as_operator().post(answers_path(calm), BY | {"answers": DAYS})
    triage_all()
    (survivor,) = assert_one_open(sessions, versions=3)
    assert (survivor.queue, survivor.priority, survivor.downgrade_proposed) == ("urgent", 0, True)


def test_a_process_killed_between_storing_and_triage_leaves_the_referral_as_it_was(settings, first, operator, sessions):
    """One transaction: the new form is there with its referral, or is not there. What was asked can be sent again."""
    calm = first()
    child = os.fork()
    if not child:
        # A process of its own, with connections of its own; killed where the form is stored and nothing is decided.
        new_version.triage = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        caller = Caller(create_app(settings, now=lambda: NOW).test_client(), operator.key)
        caller.post(answers_path(calm), BY | {"answers": RED})
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert operator.get(calm["links"]["self"]).json == calm
    with sessions() as session:
        assert len(session.scalars(select(Intake)).all()) == 1
        assert session.scalars(select(Event.type)).all() == ["referral.queued"]
    assert operator.post(answers_path(calm), BY | {"answers": RED}).json["priority"] == "emergency"
    assert len(list(assert_one_open(sessions, versions=2))) == 1


def test_a_lost_connection_leaves_nothing_half_done(first, operator, sessions, monkeypatch):
    calm = first()
    triage = new_version.triage

    def lose(*given):
        with sessions() as session:
            others = "pid <> pg_backend_pid() and state = 'idle in transaction' and datname = current_database()"
            session.execute(text(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}"))  # noqa: S608
        return triage(*given)

    with monkeypatch.context() as patched:
        patched.setattr(new_version, "triage", lose)
        assert operator.post(answers_path(calm), BY | {"answers": RED}).status_code == 503
    assert operator.get(calm["links"]["self"]).json == calm
    assert operator.post(answers_path(calm), BY | {"answers": RED}).status_code == 200
    assert len(list(assert_one_open(sessions, versions=2))) == 1
