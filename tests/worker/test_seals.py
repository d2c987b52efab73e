"""With a key that the database does not hold, the audit finds what was rewritten by those who may write to it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner
from sqlalchemy import func, insert, select, text
from sqlalchemy.event import listen, remove
from uuid_utils.compat import uuid7

from services.cli.admin.keys import keys as keys_command
from services.cli.admin.people import people as people_command
from services.cli.data.audit import audit
from services.worker.watchman.sealer import Sealer, create_sealer
from services.worker.watchman.watchman import Watchman
from shared.platform.crypto import IdentityCipher
from shared.platform.database import create_engine, create_sessions
from shared.platform.task_queues import LANES
from shared.store.access.keys import issue
from shared.store.access.people import sign_on
from shared.store.event_log.events import append_events
from shared.store.event_log.feed import digest, number
from shared.store.patients.record_numbers import mrn_hashes
from shared.tables import ApiKey, ChainSeal, Decision, Event, Intake, Person, Referral
from tests.conftest import encoded

KEY = bytes(range(64, 96))
RED = {"bladder_change": "new_or_worse"}


@pytest.fixture
def head_file(tmp_path) -> Path:
    return tmp_path / "heads.jsonl"


@pytest.fixture
def sealer(sessions, head_file) -> Sealer:
    return Sealer(sessions, KEY, head_file)


@pytest.fixture
def audited(environment, head_file):
    """A function that runs `referrals audit` and returns its exit code and what it finds."""

    def run(*arguments, **more):
        variables = environment | {"CHAIN_KEY": encoded(KEY), "CHAIN_HEAD_FILE": str(head_file)} | more
        done = CliRunner().invoke(audit, ["--json", *arguments], env=variables)
        said = json.loads(done.output)
        return done.exit_code, {name: count for name, count in said["findings"].items() if count}, said["broken"]

    return run


@pytest.fixture
def service(service_settings, engine):  # noqa: ARG001 - its tables are empty
    """Sessions as the service's own role."""
    of_service = create_engine(service_settings)
    yield create_sessions(of_service)
    of_service.dispose()


@pytest.fixture
def happen(sessions, settings, intake, triager):
    """A function that lets a red flag and a calm form be triaged, and their events be numbered."""
    cipher = IdentityCipher(settings.identity_keys)
    mrn_hash = mrn_hashes(settings.lookup_key, "st-marys", "MRN-1").as_typed

    def once():
        for symptoms in (RED, None):
            intake_id = uuid7()
            identity = cipher.seal(b'{"mrn": "MRN-1", "birth_date": "1980-05-17"}', row=str(intake_id))
            intake(id=intake_id, identity=identity, mrn_hash=mrn_hash, symptoms=symptoms)
        for lane in LANES:
            triager.triage_waiting(lane)
        with sessions.begin() as session:
            number(session)

    return once


@pytest.fixture
def sealed(sessions, happen, sealer):
    """Things have happened before the switch-over and after it; all is sealed and its head is signed."""
    happen()
    sealer.seal()
    happen()
    sealer.write_head()
    return sessions


def as_owner(sessions, *statements, **values):
    with sessions.begin() as session:
        session.execute(text("alter table events disable trigger user"))
        for statement in statements:
            session.execute(text(statement), values)
        session.execute(text("alter table events enable trigger user"))


def chained_anew(sessions):
    """Give every event the digest that fits it, as everyone can who may write to the table."""
    with sessions.begin() as session:
        session.execute(text("alter table events disable trigger user"))
        before = bytes(32)
        rows = session.execute(
            text("select id, number, type, at, referral_id, intake_id, by, data, actor from events order by number")
        ).all()
        for row in rows:
            before = digest(before, row.number, *row[2:])
            session.execute(text("update events set digest = :digest where id = :id"), {"digest": before, "id": row.id})
        session.execute(text("alter table events enable trigger user"))


@pytest.mark.usefixtures("sealed")
def test_where_all_is_well_nothing_is_found(audited, sealer):
    assert audited() == (0, {}, None)
    sealer.seal()
    sealer.write_head()
    assert audited() == (0, {}, None)


def test_the_service_seals_as_its_own_role(service, happen, audited, head_file):
    own = Sealer(service, KEY, head_file)
    happen()
    own.seal()
    happen()
    own.write_head()
    assert audited() == (0, {}, None)


def test_an_event_that_was_edited_and_chained_anew_is_found(sealed, audited):
    as_owner(sealed, "update events set by = 'Dr B' where number = 1")
    chained_anew(sealed)
    code, found, broken = audited()
    assert (code, broken) == (1, None)  # the chain by itself shows nothing
    assert found["seal_broken"] >= 2  # before the switch-over and after it
    assert found["head_unknown"] == 1


def test_the_last_events_cut_off_with_their_seals_are_found_by_the_signed_head(sealed, audited):
    as_owner(
        sealed,
        "delete from referral_seals where event_id in (select id from events where number = 4)",
        "delete from events where number = 4",
        "delete from chain_seals where number >= 4",
        "delete from referrals where not exists (select from events where referral_id = referrals.id)",
        "update intakes set status = 'received', triaged_at = null, received_at = now() "
        "where not exists (select from referrals where intake_id = intakes.id)",
        "delete from decisions where not exists (select from referrals where intake_id = decisions.intake_id)",
        "delete from queue_changes",
        "insert into queue_changes (facility, queue, priority, status, change) "
        "select facility, queue, priority, status, 1 from referrals",
    )
    code, found, broken = audited()
    assert (code, set(found) - {"event_unsealed"}, broken) == (1, {"head_unknown"}, None)


def test_a_head_kept_elsewhere_is_compared_too(sealed, audited, head_file, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(head_file.read_bytes())
    head_file.unlink()
    as_owner(sealed, "delete from chain_seals where id > 1")
    assert audited()[1] == {}
    assert audited("--heads", str(kept))[1] == {"head_unknown": 1}


@pytest.mark.usefixtures("sealed")
def test_a_head_that_was_forged_is_found(audited, head_file):
    head = json.loads(head_file.read_bytes())
    head_file.write_text(json.dumps(head | {"number": head["number"] - 1}) + "\nnot a head\n")
    assert audited()[1] == {"head_unknown": 2}


@pytest.mark.usefixtures("sealed")
def test_an_emergency_made_routine_by_the_service_is_found(service, audited):
    with service.begin() as session:
        session.execute(text("update referrals set priority = 3, queue = 'neurology' where priority <= 1"))
    code, found, broken = audited()
    assert (code, found["referral_changed"], broken) == (1, 2, None)


@pytest.mark.usefixtures("sealed")
def test_an_emergency_made_routine_behind_an_event_that_says_nothing_of_it_is_found(service, sealer, audited):
    with service.begin() as session:
        session.execute(text("update referrals set priority = 3, queue = 'neurology' where priority <= 1"))
        referrals = session.execute(select(Referral.id, Referral.intake_id).where(Referral.queue == "neurology")).all()
        noted = [{"type": "referral.noted", "referral_id": r.id, "intake_id": r.intake_id} for r in referrals]
        append_events(session, noted)
        number(session)
    sealer.write_head()
    code, found, _ = audited()
    assert (code, found["referral_moved"]) == (1, len(referrals))


@pytest.mark.parametrize(
    "statement",
    [
        "update decisions set record = jsonb_set(record, '{priority}', '\"prompt\"')",
        "update decisions set decided_at = now() - interval '1 day'",
        'update intakes set answers = answers || \'{"onset": "gradual", "rewritten": true}\'',
        "update referrals set acknowledge_by = acknowledge_by + interval '1 day'",
        "update referrals set headline = 'well'",
        "update referrals set contact_by = now() + interval '9 days'",
    ],
)
def test_a_decision_or_answers_rewritten_are_found(sealed, audited, statement):
    as_owner(sealed, statement)
    code, found, broken = audited()
    assert (code, found, broken) == (1, {"referral_changed": 4}, None)


def test_a_seal_that_was_taken_away_with_a_change_is_found(sealed, audited):
    as_owner(sealed, "delete from referral_seals", "update decisions set protocol_version = 'other'")
    assert audited()[1] == {"referral_changed": 4}


@pytest.mark.usefixtures("sealed")
def test_an_admin_key_that_was_inserted_is_found(service, audited):
    with service.begin() as session:
        session.execute(insert(ApiKey).values(id="mine", secret_hash=b"x" * 32, role="admin"))
    assert audited() == (1, {"key_not_issued": 1}, None)


@pytest.mark.usefixtures("sealed")
def test_a_key_with_more_rights_than_it_was_issued_with_is_found(sessions, environment, audited):
    variables = environment | {"CHAIN_KEY": encoded(KEY)}
    issued = CliRunner().invoke(keys_command, ["issue", "--role", "auditor"], env=variables)
    assert issued.exit_code == 0
    assert audited()[1] == {}
    as_owner(sessions, "update api_keys set role = 'admin'")
    assert audited()[1] == {"key_not_issued": 1}


def test_a_person_who_was_inserted_is_found_and_does_not_sign_on(service, service_settings, environment, audited):
    variables = environment | {"CHAIN_KEY": encoded(KEY)}
    added = CliRunner().invoke(people_command, ["add", "--role", "auditor", "--login", "genuine", "A"], env=variables)
    assert added.exit_code == 0, added.output
    assert audited() == (0, {}, None)
    with service.begin() as session:
        session.execute(insert(Person).values(id="mine", name="Mine", role="admin", login="mine"))
    assert audited() == (1, {"person_not_added": 1}, None)
    of_service = create_engine(service_settings)
    with create_sessions(of_service, replace(service_settings, chain_key=KEY)).begin() as session:
        assert sign_on(session, "mine") is None
        assert sign_on(session, "genuine").name == "A"
    of_service.dispose()
    assert audited() == (1, {"person_not_added": 1}, None)


def test_keys_of_before_the_switch_over_are_sealed_by_it(sessions, sealer, audited):
    with sessions.begin() as session:
        issue(session, role="operator")
    assert audited()[1] == {"key_not_issued": 1}
    sealer.seal()
    assert audited()[1] == {}


def test_events_that_get_no_seal_are_found(sealed, happen, audited):
    happen()
    assert audited()[1] == {}  # they wait for it
    as_owner(sealed, "update events set at = now() - interval '2 min' where number > 4")
    chained_anew(sealed)
    assert audited()[1] == {"event_unsealed": 2}


@pytest.mark.usefixtures("sealed")
def test_another_key_fits_nothing(audited):
    code, found, _ = audited(CHAIN_KEY=encoded(bytes(32)))
    assert code == 1
    assert found["seal_broken"] == 2
    assert found["referral_changed"] == 4
    assert found["head_unknown"] == 1


@pytest.mark.usefixtures("sealed")
def test_a_thousand_events_cost_a_few_statements(sessions, sealer):
    with sessions.begin() as session:
        referral = session.execute(select(Referral.id, Referral.intake_id).limit(1)).one()
        noted = {"type": "referral.noted", "referral_id": referral.id, "intake_id": referral.intake_id}
        append_events(session, [noted] * 500)
        number(session)
    said = []

    def count(*call):
        said.append(call[2])

    listen(sessions.kw["bind"], "before_cursor_execute", count)
    sealer.seal()
    remove(sessions.kw["bind"], "before_cursor_execute", count)
    with sessions() as session:
        assert session.scalar(select(func.max(ChainSeal.number))) == 504
    assert len(said) <= 10


@pytest.mark.usefixtures("sealed")
def test_the_head_goes_to_log_and_file(sealer, head_file):
    with structlog.testing.capture_logs() as said:
        sealer.write_head()
    logged = next(line for line in said if line["event"] == "audit.signed_head")
    lines = [json.loads(line) for line in head_file.read_text().splitlines()]
    assert len(lines) == 2
    assert lines[-1] == json.loads(logged["head"])
    assert lines[-1]["number"] == 4


@pytest.mark.usefixtures("sealed")
def test_two_watchmen_seal_once(sessions, sealer, happen, head_file, audited):
    happen()
    Sealer(sessions, KEY, head_file).seal()
    sealer.seal()
    assert audited()[:2] == (0, {})


def test_the_watchman_seals_where_it_has_the_key(settings, sessions, triager):
    assert create_sealer(settings, sessions) is None
    sealer = create_sealer(replace(settings, chain_key=KEY), sessions)
    assert {"seals", "signed_head"} <= {task.name for task in Watchman(triager, sealer=sealer).others()}
    assert sealer is not None


def test_everything_that_is_compared_is_there(sealed):
    with sealed() as session:
        for table in (Event, Decision, Intake, Referral):
            assert len(session.scalars(select(table)).all()) == 4
