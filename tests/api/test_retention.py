"""Identities, free text and whole cases are erased by age or on request; holds keep them; the audit stays clean."""

import json
import signal
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import func, insert, make_url, select, text
from sqlalchemy.exc import ProgrammingError
from uuid_utils.compat import uuid7

from services.cli.data.audit import audit
from services.cli.data.migrate import migrate
from services.cli.main import main
from services.worker.watchman.sealer import Sealer
from shared.platform.ciphers import identity_cipher
from shared.platform.database import create_engine
from shared.store.event_log.feed import number
from shared.store.patients.record_numbers import mrn_hashes
from shared.tables import Event, EventErasure, Intake, Referral, RetentionRun
from tests.api.conftest import FACILITY
from tests.cases import case_for
from tests.conftest import encoded

KEY = bytes(range(64, 96))
WORDS = "Spoke to Mary Example's mother"
AGE = """
    alter table events disable trigger user;
    update events set at = at - interval '{age}', number = null, digest = null;
    alter table events enable trigger user;
    truncate chain_seals, referral_seals;
    update intakes set received_at = received_at - interval '{age}';
"""


@pytest.fixture
def env(settings, environment, engine):  # noqa: ARG001 - its tables are empty
    """The environment of a command that connects by the role of maintenance."""
    url = make_url(settings.database_url).set(username="psoas_maintenance", password="m")  # noqa: S106
    given = environment | {
        "OWNER_DATABASE_URL": settings.database_url,
        "MAINTENANCE_DATABASE_URL": url.render_as_string(hide_password=False),
        "CHAIN_KEY": encoded(KEY),
    }
    done = CliRunner().invoke(migrate, env=given)
    assert done.exit_code == 0, done.output
    return given


@pytest.fixture
def retention(env):
    """A function that runs `referrals retention …`."""
    return lambda *words, **more: CliRunner().invoke(main, ["retention", *words], env=env, **more)


@pytest.fixture
def run(retention):
    """A function that runs retention for the facility, and returns how many identities, cases and holds it counted."""

    def counted(*more):
        done = retention("run", "--facility", FACILITY, *more)
        assert done.exit_code == 0, done.output
        return tuple(int(word) for word in done.output.split() if word.isdigit())

    return counted


@pytest.fixture(params=[2, 1], ids=["sealed", "in the clear"])
def closed(request, configured, referral, operator):
    """A function that returns a referral which was completed with words of its own, as a format keeps them."""
    configured(sealing_format=request.param)

    def of(mrn="MRN-1"):
        found = referral("orthopedics", mrn=mrn)
        path = found["links"]["self"]
        assert operator.post(f"{path}/acknowledge", {"by": "Dr A"}).status_code == 200
        done = operator.post(f"{path}/complete", {"by": "Dr A", "outcome": WORDS})
        assert done.status_code == 200, done.text
        return found

    return of


@pytest.fixture
def age(sessions):
    """A function that makes everything older, numbers its events, and seals them."""

    def by(interval):
        with sessions.begin() as session:
            session.connection().exec_driver_sql(AGE.format(age=interval))
        with sessions.begin() as session:
            number(session)
        sealer = Sealer(sessions, KEY)
        sealer.seal()  # the switch-over
        sealer.seal()

    return by


@pytest.fixture
def audited(env):
    """A function that runs `referrals audit`: its exit code, its findings, and where the chain is broken."""

    def run_():
        done = CliRunner().invoke(audit, ["--json"], env=env)
        said = json.loads(done.stdout)
        return done.exit_code, {name: count for name, count in said["findings"].items() if count}, said["broken"]

    return run_


CLEAN = (0, {}, None)


def counted(sessions, table):
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(table))


def stored_words(sessions):
    with sessions() as session:
        in_clear = session.scalar(text("select count(*) from events where data::text like '%Mary%'"))
        return in_clear + session.scalar(text("select count(*) from event_texts"))


def test_identities_and_free_text_go_after_their_days_and_the_case_stays(closed, age, run, audited, operator, sessions):
    path = closed()["links"]["self"]
    age("200 days")
    assert run() == (0, 0, 0)
    age("200 days")
    assert operator.get(path).json["patient"] is not None
    assert (run("--dry-run"), stored_words(sessions)) == ((1, 0, 0), 1)
    assert operator.get(path).json["patient"] is not None
    assert run() == (1, 0, 0)
    left = operator.get(path)
    assert (left.status_code, left.json["patient"], left.json["status"]) == (200, None, "completed")
    assert stored_words(sessions) == 0
    assert operator.get(f"{path}/events").status_code == 200
    assert audited() == CLEAN
    assert run() == (0, 0, 0)
    with sessions() as session:
        runs = session.scalars(select(RetentionRun).order_by(RetentionRun.id)).all()
        assert [each.kind for each in runs] == ["run", "dry_run", "run", "run"]
        assert all(each.ended_at and each.facility == FACILITY and each.by for each in runs)


def test_whole_cases_go_after_their_years_and_the_chain_stays(closed, age, run, audited, operator, sessions):
    path = closed()["links"]["self"]
    age("9 years")
    assert run("--dry-run") == (0, 1, 0)
    assert run() == (0, 1, 0)
    assert operator.get(path).status_code == 404
    assert (counted(sessions, Intake), counted(sessions, Referral)) == (0, 0)
    assert counted(sessions, Event) > counted(sessions, EventErasure) > 0  # one had no data to lose
    assert stored_words(sessions) == 0
    assert audited() == CLEAN
    assert operator.get("/v1/events").status_code == 200


def test_an_open_case_stays_however_old(referral, age, run, operator):
    path = referral("orthopedics")["links"]["self"]
    age("9 years")
    assert run() == (0, 0, 0)
    assert operator.get(path).json["patient"] is not None


def test_a_case_on_hold_stays_until_it_is_released(closed, age, run, retention, operator):
    found = closed()
    age("9 years")
    assert retention("hold", found["reference"]).output == f"{found['reference']} held\n"
    assert "was held before" in retention("hold", found["reference"]).output
    assert run()[:2] == (0, 0)
    assert operator.get(found["links"]["self"]).json["patient"] is not None
    refused = retention("erase", "--facility", FACILITY, "--mrn", input="MRN-1\n")
    assert (refused.exit_code, "1 are on hold" in refused.output) == (1, True)
    assert retention("release", found["reference"]).output == f"{found['reference']} released\n"
    assert "was not held" in retention("release", found["reference"]).output
    assert run() == (0, 1, 0)
    assert retention("hold", "R-0000-0000").exit_code == 1


def test_the_senders_own_id_goes_with_the_identity_and_is_free_again(
    submitter, operator, triage_all, age, run, sessions
):
    body = case_for("orthopedics").body("MRN-1")
    body["encounter"] = (body.get("encounter") or {}) | {"external_id": "E-Mary"}
    first = submitter.post("/v1/intakes", body)
    triage_all()
    path = submitter.get(first.headers["Location"]).json["referral"]["links"]["self"]
    operator.post(f"{path}/return", {"by": "Dr A", "reason": WORDS})
    age("400 days")
    assert run() == (1, 0, 0)
    with sessions() as session:
        intake = session.scalars(select(Intake)).one()
    assert (intake.external_id, intake.external_id_hash, intake.external_id_sealed) == (None, None, None)
    assert submitter.get(first.headers["Location"]).json["external_id"] is None
    assert submitter.post("/v1/intakes", body).json["id"] != first.json["id"]


def test_one_patient_is_erased_on_request_and_no_other(closed, retention, operator, audited, sessions, age):
    mine, other = closed("MRN-1")["links"]["self"], closed("MRN-2")["links"]["self"]
    age("1 day")
    done = retention("erase", "--facility", FACILITY, "--mrn", input="MRN-1\n")
    assert done.exit_code == 0, done.output
    assert "MRN-1" not in done.output
    assert operator.get(mine).json["patient"] is None
    assert operator.get(other).json["patient"]["mrn"] == "MRN-2"
    assert stored_words(sessions) == 1
    assert audited() == CLEAN
    again = retention("erase", "--facility", FACILITY, "--mrn", input="MRN-1\n")
    assert "identities of 0 cases" in again.output
    assert retention("erase", "--facility", FACILITY, "--mrn", "--whole", input="MRN-2\n").exit_code == 0
    assert operator.get(other).status_code == 404
    assert audited() == CLEAN


def test_an_open_case_of_the_patient_is_left_and_said(referral, retention, operator, age):
    path = referral("orthopedics")["links"]["self"]
    age("1 day")
    refused = retention("erase", "--facility", FACILITY, "--mrn", input="MRN-1\n")
    assert (refused.exit_code, "1 cases are open" in refused.output) == (1, True)
    assert operator.get(path).json["patient"] is not None


def test_a_changed_rest_of_an_erased_event_breaks_the_chain(closed, age, run, audited, sessions):
    closed()
    age("400 days")
    run()
    with sessions.begin() as session:
        session.connection().exec_driver_sql("""
            alter table events disable trigger user;
            update events set "by" = 'Dr B' where type = 'referral.completed';
            alter table events enable trigger user;
        """)
    assert audited()[2] is not None


def test_a_change_is_passed_off_as_no_erasure(closed, age, run, audited, sessions):
    """Who may erase, and lacks CHAIN_KEY, cannot write what an event is compared with."""
    closed()
    age("9 years")
    assert run() == (0, 1, 0)
    assert audited() == CLEAN
    with sessions.begin() as session:
        session.connection().exec_driver_sql("""
            update event_erasures set rest = sha256(rest) where event_id = (select max(event_id) from event_erasures)
        """)
    assert audited()[2] is not None


@pytest.mark.parametrize("words", [("run",), ("erase", "--mrn")])
def test_words_of_events_without_a_number_are_erased_too(closed, retention, sessions, words):
    closed()
    with sessions.begin() as session:
        session.connection().exec_driver_sql(AGE.format(age="400 days"))
    done = retention(*words, "--facility", FACILITY, input="MRN-1\n")
    assert done.exit_code == 0, done.output
    with sessions.begin() as session:
        found = session.connection().exec_driver_sql("select data::text from events").scalars().all()
        assert session.connection().exec_driver_sql("select count(*) from event_texts").scalar() == 0
    assert not [data for data in found if WORDS in data]


def test_without_chain_key_nothing_is_erased(closed, age, retention, env, operator):
    path = closed()["links"]["self"]
    age("9 years")
    del env["CHAIN_KEY"]
    for words in (("run",), ("erase", "--mrn")):
        refused = retention(*words, "--facility", FACILITY, input="MRN-1\n")
        assert (refused.exit_code, "CHAIN_KEY is not set" in refused.output) == (1, True)
    assert operator.get(path).json["patient"] is not None


def test_the_service_itself_erases_nothing(closed, age, service_settings, sessions):
    closed()
    age("1 day")
    engine = create_engine(service_settings)
    try:
        for statement in (
            "set local psoas.erasing = 'on'; update events set data = '{}'",
            "delete from intakes",
            "delete from event_texts",
            "update event_texts set sealed = ''",
            "insert into event_erasures (event_id, run_id, rest) values (1, gen_random_uuid(), '')",
            "update intakes set identity_erased_at = now()",
        ):
            with pytest.raises(ProgrammingError), engine.begin() as connection:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
    assert stored_words(sessions) == 1


COUNT = 800


def test_killed_half_way_it_goes_on(env, run, sessions, settings, caller):
    caller("submitter", facility=FACILITY)
    cipher = identity_cipher(settings)
    with sessions.begin() as session:
        session.execute(insert(Intake), [_old(settings, cipher) for _ in range(COUNT)])
        session.execute(text("update intakes set received_at = now() - interval '400 days'"))
    erased = select(func.count()).where(Intake.identity_erased_at.is_not(None))
    words = [sys.executable, "-m", "services.cli", "retention", "run", "--facility", FACILITY]
    killed = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL)
    while killed.poll() is None:
        with sessions() as session:
            if session.scalar(erased):
                killed.send_signal(signal.SIGKILL)
                break
    killed.wait()
    with sessions() as session:
        part = session.scalar(erased)
        assert session.scalar(select(RetentionRun.ended_at)) is None
        assert session.scalar(select(RetentionRun.identities)) == part
    assert 0 < part < COUNT
    assert run() == (COUNT - part, 0, 0)


def _old(settings, cipher):
    intake, hashes = uuid7(), mrn_hashes(settings.lookup_key, FACILITY, "MRN-1")
    return {
        "id": intake,
        "facility": FACILITY,
        "lane": "routine",
        "status": "triaged",
        "triaged_at": datetime(2025, 1, 1, tzinfo=UTC),
        "today": date(2025, 1, 1),
        "answers": {},
        "identity": cipher.seal(b'{"mrn":"MRN-1","birth_date":"1980-05-17"}', row=str(intake)),
        "body_hash": b"",
        "request_id": "",
        "mrn_hash": hashes.as_typed,
        "patient_hash": hashes.normalised,
    }
