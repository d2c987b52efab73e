"""What people write stands sealed, whoever may read it reads it, and an audit finds what was changed of it."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text, update

from services.api.context import EXTENSION, context_of
from services.cli.data.audit import audit
from shared.platform.crypto import IdentityCipher
from shared.store.event_log.events import append_events
from shared.store.event_log.feed import number
from shared.store.event_log.texts import UNREADABLE, UnsealedWordsError
from shared.tables import Event, EventText
from tests.api.console_person import AtConsole
from tests.api.test_answers import CALM, DOCTOR, answer, emergency, first
from tests.api.test_canary import log_text, stored
from tests.api.test_event_stream import listen, wait_for

__all__ = ["answer", "emergency", "first", "listen", "log_text"]  # fixtures

MARK = "QZWORDS"
FREE_HAND = """
    alter table events disable trigger user;
    {statement};
    alter table events enable trigger user
"""
OTHER = """
    from events other where events.type <> other.type and events.type in ('referral.completed', 'referral.released')
    and other.type in ('referral.completed', 'referral.released')
"""


def words(what: str) -> str:
    return f"{MARK} {what}: spoke to Mary"


@pytest.fixture
def act(operator):
    """Return a function that does an action on a referral; it returns the referral as it is then."""

    def do(path, action, by="Dr A. Okafor", **body):
        done = operator.post(f"{path}/{action}", {"by": by, **body})
        assert done.status_code == 200, (action, done.text)
        return done.json

    return do


@pytest.fixture
def worked(referral, act):
    """The path of a referral on which everything was done that people write words for, but for answers."""
    path = referral("neurology")["links"]["self"]
    act(path, "acknowledge", note=words("taken"))
    act(path, "take-over", by="Dr B. Lind", reason=words("taken over"))
    act(path, "contacted", outcome="left_message", note=words("called"))
    act(path, "release", reason=words("released"))
    act(path, "reroute", queue="orthopedics", reason=words("moved"))
    act(path, "acknowledge")
    act(path, "complete", outcome=words("done"))
    return path


@pytest.fixture
def returned(referral, act):
    """The path of a referral that was returned."""
    path = referral("neurology", mrn="MRN-2")["links"]["self"]
    act(path, "return", reason=words("returned"))
    return path


@pytest.fixture
def answered(emergency, answer, act):
    """The path of a referral whose form was answered and whose lower place was confirmed."""
    new = answer(emergency, CALM, note=words("asked")).json["links"]["self"]
    act(new, "confirm-downgrade", **DOCTOR, reason=words("calm"))
    return new


def said(caller, path):
    """Return the words of a timeline, in order."""
    events = caller.get(f"{path}/events").json["events"]
    return [word for event in events for name, word in event["data"].items() if MARK in str(word) and name != "sealed"]


def test_what_is_written_stands_nowhere_in_the_clear(worked, returned, answered, operator, sessions, log_text):
    everything = stored(sessions)
    assert MARK not in everything
    assert "Mary" not in everything
    assert MARK not in log_text()
    with sessions() as session:
        texts = session.scalar(select(func.count()).select_from(EventText))
        assert texts == session.scalar(select(func.count()).where(Event.text_id.is_not(None))) == 9
    assert said(operator, worked) == [
        words(each) for each in ("taken", "taken over", "called", "released", "moved", "done")
    ]
    assert said(operator, returned) == [words("returned")]
    assert said(operator, answered) == [words("asked"), words("calm")]


def test_a_choice_and_the_services_own_reasons_stay_in_the_clear(worked, operator, sessions):
    with sessions() as session:
        data = session.scalars(select(Event.data).where(Event.type == "referral.contacted")).one()
    assert data["outcome"] == "left_message"
    assert list(data["sealed"]) == ["note"]
    assert len(data["sealed"]["note"]) == 64
    contacted = [each for each in operator.get(f"{worked}/events").json["events"] if each["type"].endswith("contacted")]
    assert contacted[0]["data"] == {"outcome": "left_message", "note": words("called")}


def test_each_reader_reads_what_was_read_before(app, worked, returned, caller, operator, submitter):
    auditor, department = caller("auditor"), caller("department", queues=("orthopedics",), facility="st-marys")
    assert said(department, worked) == said(operator, worked)
    assert said(submitter, worked) == [words(each) for each in ("taken over", "released", "moved", "done")]
    assert said(auditor, worked) == []
    for each, count in ((operator, 7), (submitter, 5), (auditor, 0)):
        feed = each.get("/v1/events").text
        assert (feed.count(MARK), '"sealed"' in feed) == (count, False)
    for each in (operator, submitter):
        assert each.get(worked).json["completed"]["outcome"] == words("done")
        assert each.get(returned).json["returned"]["reason"] == words("returned")
    intake = submitter.get(submitter.get(worked).json["links"]["intake"]).json
    assert intake["referral"]["completed"]["outcome"] == words("done")
    listed = operator.get("/v1/referrals?status=all").json["referrals"]
    assert {each["returned"]["reason"] for each in listed if each["returned"]} == {words("returned")}
    console, examined = AtConsole(app, operator.key), AtConsole(app, auditor.key)
    assert console.get(f"/console{worked.removeprefix('/v1')}").text.count(MARK) == 6
    assert console.get("/console/handover").text.count(MARK) == 2
    assert MARK not in examined.get("/console/handover").text


@pytest.mark.usefixtures("worked")
def test_a_stream_says_them(listen):
    assert wait_for(listen("/v1/events?after=0"), "referral.completed").count(MARK) == 6


def test_without_its_key_a_page_says_so_and_goes_on(app, worked, operator, caller, submitter, monkeypatch):
    other = IdentityCipher({"other": bytes(32)})
    monkeypatch.setitem(app.extensions, EXTENSION, replace(context_of(app), cipher=other))
    events = operator.get(f"{worked}/events")
    assert events.status_code == 200
    assert [each["data"].get("note") for each in events.json["events"] if "note" in each["data"]] == [UNREADABLE] * 2
    assert operator.get(worked).json["completed"]["outcome"] == UNREADABLE
    assert UNREADABLE not in caller("auditor").get(f"{worked}/events").text
    assert submitter.get(worked).status_code == 200


def test_beside_the_release_before_words_stay_in_the_clear_and_are_read_later(
    configured, referral, act, operator, sessions
):
    configured(sealing_format=1)
    path = referral("neurology")["links"]["self"]
    act(path, "acknowledge", note=words("before"))
    with sessions() as session:
        data = session.scalars(select(Event.data).where(Event.type == "referral.acknowledged")).one()
    assert data == {"note": words("before")}
    configured(sealing_format=2)
    act(path, "release", reason=words("after"))
    assert said(operator, path) == [words("before"), words("after")]


def test_words_without_a_cipher_are_not_stored(referral, sessions):
    found = referral("neurology")
    event = {"type": "referral.released", "referral_id": found["id"], "intake_id": found["intake_id"], "by": "A"}
    with sessions.begin() as session:
        before = session.scalar(select(func.count()).select_from(Event))
        with pytest.raises(UnsealedWordsError):
            append_events(session, [{**event, "data": {"reason": words("released")}}])
        assert session.scalar(select(func.count()).select_from(Event)) == before


@pytest.fixture
def audited(sessions, environment):
    """Return a function that audits: its exit code, the findings, and where the chain is broken."""

    def run():
        with sessions.begin() as session:
            number(session)
        done = CliRunner().invoke(audit, ["--json"], env=environment)
        found = json.loads(done.stdout)
        return done.exit_code, {name: count for name, count in found["findings"].items() if count}, found["broken"]

    return run


@pytest.mark.usefixtures("worked", "answered")
def test_an_untouched_database_has_no_findings(audited):
    assert audited() == audited() == (0, {}, None)


@pytest.mark.usefixtures("worked")
@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("update event_texts set sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)", 6),
        ("update events set text_id = null where type = 'referral.completed'", 1),
        (f"update events set text_id = other.text_id {OTHER} and events.type = 'referral.completed'", 1),  # noqa: S608
        (f"update events set text_id = other.text_id {OTHER}", 2),  # noqa: S608
        ("update event_texts set sealed = other.sealed from event_texts other where other.id <> event_texts.id", 6),
    ],
    ids=["ciphertext", "no text", "the text of another", "two exchanged", "the ciphertext of another"],
)
def test_an_altered_text_is_found(statement, count, audited, sessions):
    audited()
    with sessions.begin() as session:
        session.connection().exec_driver_sql(FREE_HAND.format(statement=statement))
    assert audited() == (1, {"text_altered": count}, None)


@pytest.mark.usefixtures("worked")
@pytest.mark.parametrize(
    "changed",
    [
        {"words": {"outcome": "Another outcome."}},
        {"words": {"outcome": words("done"), "note": "More."}},
        {"words": {}},
        {"key": "00" * 32},
        {"key": None},
    ],
)
def test_a_text_that_was_sealed_anew_with_other_words_is_found(changed, app, audited, sessions):
    cipher = context_of(app).cipher
    found = select(EventText).join(Event, Event.text_id == EventText.id).where(Event.type == "referral.completed")
    with sessions.begin() as session:
        row = session.scalars(found).one()
        content = json.loads(cipher.open(row.sealed, row=f"text:{row.id}"))
        row.sealed = cipher.seal(json.dumps(content | changed).encode(), row=f"text:{row.id}")
    assert audited() == (1, {"text_altered": 1}, None)


@pytest.mark.usefixtures("worked")
def test_an_edited_hmac_breaks_the_chain(audited, sessions):
    audited()
    statement = "update events set data = '{\"sealed\": {}}' where type = 'referral.completed'"
    with sessions.begin() as session:
        session.connection().exec_driver_sql(FREE_HAND.format(statement=statement))
    code, found, broken = audited()
    assert (code, found) == (1, {"text_altered": 1})
    assert broken is not None


def test_a_text_that_is_gone_without_an_erasure_is_found(worked, audited, operator, sessions):
    with sessions.begin() as session:
        session.execute(text("delete from event_texts"))
    assert audited() == (1, {"text_missing": 6}, None)
    assert said(operator, worked) == []
    assert operator.get(worked).json["completed"]["outcome"] == ""


@pytest.mark.usefixtures("worked")
def test_a_text_whose_key_is_gone_is_told_from_one_that_was_altered(audited, environment):
    environment["IDENTITY_KEYS"] = "other:" + environment["IDENTITY_KEYS"].partition(":")[2]
    code, found, broken = audited()
    assert (code, found["text_unreadable"], found.get("text_altered"), broken) == (1, 6, None, None)


@pytest.mark.usefixtures("worked")
def test_an_event_keeps_the_text_that_it_has(sessions):
    with sessions.begin() as session, pytest.raises(Exception, match="only ever added"):
        session.execute(update(Event).values(text_id=None))
