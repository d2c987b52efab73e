"""Persons act under their own names, by keys of their own; keys expire, rotate and say when they were used."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text, update

from services.api.http import key_cache
from services.cli.main import main
from shared.platform.clock import now
from shared.store.access import keys, people
from shared.store.event_log.chain import check
from shared.store.event_log.feed import catch_up, digest
from shared.tables import ApiKey, Event
from tests.api.conftest import Caller
from tests.api.test_referrals import ACTIONS
from tests.cases import born, case_for

NAME = "Dr A. Okafor"


@pytest.fixture
def command(environment, monkeypatch):
    """A function that runs `referrals` on the database of the tests."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def doctor(command, app, sessions):  # noqa: ARG001 - the emptied database
    """A person of the neurology department."""
    added = command("people", "add", NAME, "--role", "department", "--queue", "neurology", "--json")
    assert added.exit_code == 0, added.output
    return Caller(app.test_client(), json.loads(added.stdout)["key"])


def last_event(sessions):
    with sessions() as session:
        return session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()


def test_a_person_acts_without_saying_who(doctor, referral, sessions):
    path = referral("neurology")["links"]["self"]
    answer = doctor.post(f"{path}/acknowledge", {"note": "Seen."}, X_Request_ID="act-1")
    assert (answer.status_code, answer.json["acknowledged"]["by"]) == (200, NAME)
    event = last_event(sessions)
    assert event.by == NAME
    assert event.actor == {
        "key_id": keys.split(doctor.key)[0],
        "person": NAME,
        "role": "department",
        "address": "127.0.0.1",
        "request_id": "act-1",
    }
    assert doctor.post(f"{path}/release", {"by": NAME, "reason": "End of shift."}).status_code == 200


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_another_name_is_refused(doctor, referral, action):
    path = referral("neurology")["links"]["self"]
    answer = doctor.post(f"{path}/{action}", {**ACTIONS[action], "by": "Dr B. Else"})
    assert (answer.status_code, answer.json["type"]) == (403, "urn:psoas:problem:not-you")


def test_a_system_still_says_for_whom(operator, referral, sessions):
    path = referral("neurology")["links"]["self"]
    missing = operator.post(f"{path}/acknowledge", {"note": "Seen."})
    assert missing.status_code == 422
    assert missing.json["errors"] == [{"pointer": "/by", "detail": "Required."}]
    assert operator.post(f"{path}/acknowledge", {"by": "Dr C"}).status_code == 200
    event = last_event(sessions)
    assert (event.by, event.actor["person"], event.actor["key_id"]) == ("Dr C", None, keys.split(operator.key)[0])


def test_only_auditors_and_admins_see_through_which_key(operator, caller, referral):
    path = referral("neurology")["links"]["self"]
    operator.post(f"{path}/acknowledge", {"by": "Dr C"})
    for role in ("auditor", "admin"):
        routed, acknowledged = caller(role).get("/v1/events").json["events"]
        assert routed["actor"] is None
        assert acknowledged["actor"]["key_id"] == keys.split(operator.key)[0]
    assert "actor" not in operator.get("/v1/events").text
    assert "actor" not in operator.get(f"{path}/events").text


def test_every_event_of_a_request_says_who_caused_it(operator, caller, submitter, triage_all, sessions):
    posted = submitter.post("/v1/intakes", born(case_for("clinical_review", "routine").body())).json
    triage_all()
    path = submitter.get(posted["links"]["self"]).json["referral"]["links"]["self"]
    by = {"by": "Dr C"}
    acts = (
        *(("acknowledge", by), ("take-over", ACTIONS["take-over"]), ("release", ACTIONS["release"])),
        *(("contacted", by | {"outcome": "no_answer"}), ("reroute", ACTIONS["reroute"])),
        ("answers", by | {"answers": {"symptoms.bladder_change": "new_or_worse", "symptoms.onset": "sudden"}}),
        ("answers", by | {"answers": {"symptoms.bladder_change": "none"}}),
        ("confirm-downgrade", by | {"reason": "Heard wrongly."}),
        ("correct-identity", by | {"reason": "Typed wrongly.", "patient": {"birth_date": "1981-01-01"}}),
        ("acknowledge", by),
        ("complete", ACTIONS["complete"]),
    )
    for number, (action, body) in enumerate(acts):
        answer = operator.post(f"{path}/{action}", body, X_Request_ID=f"act-{number}")
        assert answer.status_code == 200, (action, answer.text)
        path = answer.json["links"]["self"]
    assert operator.get(f"{path}/form").status_code == 200
    catch_up(sessions)
    routed, *caused = caller("auditor").get("/v1/events?limit=200").json["events"]
    assert (routed["type"], routed["actor"]) == ("referral.queued", None)
    assert {each["actor"] and each["actor"]["key_id"] for each in caused} == {keys.split(operator.key)[0]}
    asked = {each["actor"]["request_id"] for each in caused}
    assert asked >= {f"act-{number}" for number in range(len(acts))}
    assert {"referral.queued", "referral.superseded", "referral.form_read"} <= {each["type"] for each in caused}


def test_the_actor_is_inside_the_digest_and_events_without_one_still_verify(operator, referral, sessions, engine):
    path = referral("neurology")["links"]["self"]
    operator.post(f"{path}/acknowledge", {"by": "Dr C"})
    catch_up(sessions)
    operator.post(f"{path}/release", ACTIONS["release"])
    numbered_by_release_before(engine)
    with sessions() as session:
        assert (check(session).broken, check(session).head.number) == (None, 3)
    with engine.begin() as connection:
        connection.execute(text("alter table events disable trigger user"))
        connection.execute(text("""update events set actor = actor || '{"person": "X"}' where number = 2"""))
        connection.execute(text("alter table events enable trigger user"))
    with sessions() as session:
        assert check(session).broken == 2


def numbered_by_release_before(engine):
    """Give the last event its number and digest as a release does that knows of no actor."""
    with engine.begin() as connection:
        before = connection.execute(text("select digest from events where number = 2")).scalar_one()
        row = connection.execute(
            text("select id, type, at, referral_id, intake_id, by, data from events where number is null")
        ).one()
        values = {"digest": digest(before, 3, *row[1:], None), "id": row.id}
        connection.execute(text("update events set number = 3, digest = :digest where id = :id"), values)


def test_an_actor_is_never_changed(operator, referral, engine):
    path = referral("neurology")["links"]["self"]
    operator.post(f"{path}/acknowledge", {"by": "Dr C"})
    forged = "update events set number = 9, digest = '', actor = null where number is null and actor is not null"
    with pytest.raises(Exception, match="only ever added"), engine.begin() as connection:
        connection.execute(text(forged))


def test_a_name_belongs_to_one_open_person(command, doctor):
    again = command("people", "add", f" {NAME} ", "--role", "operator")
    assert (again.exit_code, "is there" in again.output) == (1, True)
    assert command("people", "close", NAME).exit_code == 0
    assert doctor.get("/v1/queues").status_code in (200, 401)
    assert command("people", "close", NAME).exit_code == 1
    assert command("people", "add", NAME, "--role", "operator").exit_code == 0
    states = [line.split()[-1] == "open" for line in command("people", "list").stdout.splitlines()]
    assert states == [False, True]


def test_who_is_closed_gets_in_no_more(command, doctor, monkeypatch):
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 0.0)  # as if the second had passed
    assert doctor.get("/v1/queues").status_code == 200
    command("people", "close", NAME)
    assert doctor.get("/v1/queues").status_code == 401


@pytest.mark.parametrize(
    "arguments",
    [["--role", "submitter"], ["--role", "department"], ["--role", "operator", "--queue", "urgent"], []],
)
def test_a_person_has_a_role_of_staff(command, sessions, arguments):
    assert command("people", "add", NAME, *arguments).exit_code == 2
    with sessions() as session:
        assert people.list_all(session) == []


def test_a_person_may_have_further_keys(command, doctor, app, referral):
    path = referral("neurology")["links"]["self"]
    issued = command("keys", "issue", "--person", NAME, "--label", "tablet", "--days", "30", "--json")
    tablet = Caller(app.test_client(), json.loads(issued.stdout)["key"])
    assert tablet.post(f"{path}/acknowledge", {}).json["acknowledged"]["by"] == NAME
    assert doctor.post(f"{path}/acknowledge", {}).status_code == 200  # the same person
    listed = command("keys", "list").stdout
    assert f"live until {now() + timedelta(days=30):%Y-%m-%d}  tablet" in listed
    assert "used 20" in listed
    assert command("keys", "issue", "--person", "Nobody").exit_code == 1
    assert command("keys", "issue", "--person", NAME, "--role", "admin").exit_code == 2


def test_a_key_expires_after_a_year(caller, sessions):
    caller("operator")
    with sessions() as session:
        (key,) = keys.list_all(session)
    assert timedelta(days=364) < key.expires_at - now() <= timedelta(days=365)


def test_rotation_lets_both_open_until_the_overlap_is_over(operator, command, app, sessions, monkeypatch):
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 0.0)
    old_id = keys.split(operator.key)[0]
    rotated = command("keys", "rotate", old_id, "--overlap", "2", "--json")
    new = Caller(app.test_client(), json.loads(rotated.stdout)["key"])
    assert (operator.get("/v1/queues").status_code, new.get("/v1/queues").status_code) == (200, 200)
    with sessions() as session:
        old, issued = keys.list_all(session)
    assert (old.replaced_by, issued.role) == (issued.id, "operator")
    assert timedelta(days=1) < old.expires_at - now() <= timedelta(days=2)
    assert command("keys", "rotate", old_id).exit_code == 1  # once
    with sessions.begin() as session:
        session.execute(update(ApiKey).where(ApiKey.id == old_id).values(expires_at=now()))
    assert (operator.get("/v1/queues").status_code, new.get("/v1/queues").status_code) == (401, 200)
    assert command("keys", "rotate", old_id).exit_code == 1


def test_doctor_warns_thirty_days_before(command, caller, sessions):
    def said(check):
        return [each for each in json.loads(command("doctor", "--json").stdout) if each["check"] == check]

    caller("operator")
    assert [each["state"] for each in said("API keys")] == ["ok"]
    late = caller("submitter", facility="st-marys", expires_at=now() + timedelta(days=29))
    (finding,) = said("API keys")
    late_id = keys.split(late.key)[0]
    assert finding["state"] == "warn"
    assert f"{late_id} (st-marys)" in finding["says"]
    assert "keys rotate" in finding["do"]
    command("keys", "rotate", late_id)
    assert [each["state"] for each in said("API keys")] == ["ok"]
    assert said("rotated keys") == []
    with sessions.begin() as session:
        session.execute(update(ApiKey).where(ApiKey.id == late_id).values(last_used_at=now() + timedelta(minutes=5)))
    assert late_id in said("rotated keys")[0]["says"]


def test_the_last_use_is_kept_to_the_minute(operator, sessions):
    with sessions() as session:
        assert [key.last_used_at for key in keys.list_all(session)] == [None]
    operator.get("/v1/queues")
    Caller(operator.client, operator.key + "0").get("/v1/queues")
    with sessions() as session:
        (key,) = keys.list_all(session)
    assert abs(key.last_used_at - now()) < timedelta(minutes=1)


def test_the_console_uses_the_name_of_a_persons_key(doctor, referral, sessions):
    path = referral("neurology")["id"]
    browser = doctor.client
    assert browser.post("/console/sign-in", data={"key": doctor.key, "name": "Somebody Else"}).status_code == 303
    page = browser.get(f"/console/referrals/{path}").text
    assert NAME in page
    assert "Somebody Else" not in page
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    acted = browser.post(f"/console/referrals/{path}/acknowledge", data={"csrf": csrf})
    assert acted.status_code == 303
    event = last_event(sessions)
    assert (event.by, event.actor["person"]) == (NAME, NAME)


def test_the_console_records_who_looked_and_a_wall_sees_no_identity(operator, referral, sessions):
    ours = referral("neurology", mrn="CANARY-1")
    browser = operator.client
    browser.post("/console/sign-in", data={"key": operator.key, "name": "Dr Typed"})
    assert "CANARY-1" in browser.get(f"/console/referrals/{ours['id']}").text
    with sessions() as session:
        looked = session.execute(
            text("select person, route, cardinality(patients) from access_log order by id desc limit 1")
        )
        assert looked.one() == ("Dr Typed", "/console/referrals/<uuid:referral_id>", 1)
    board = browser.get("/console").text
    csrf = board.split('name="csrf" value="')[1].split('"')[0]
    assert browser.post("/console/wall", data={"csrf": csrf}).status_code == 303
    assert "CANARY-1" not in browser.get(f"/console/referrals/{ours['id']}").text
