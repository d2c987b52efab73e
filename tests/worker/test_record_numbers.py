"""Record numbers that the release before hashed as they were typed are hashed in their normal form, step by step."""

import json
import threading

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from services.cli.data.migrate import migrate
from services.worker.watchman.record_numbers import RecordNumbers
from services.worker.watchman.watchman import Watchman
from shared.platform.crypto import IdentityCipher
from shared.store.patients.record_numbers import mrn_hashes
from shared.tables import Intake, Referral

FACILITY = "st-marys"


@pytest.fixture
def cipher(settings):
    return IdentityCipher(settings.identity_keys)


@pytest.fixture
def of_before(intake, cipher, settings):
    """Return a function that stores an intake as the release before does, with the hash of the number as typed."""

    def store(mrn, **columns):
        intake_id = uuid7()
        sealed = cipher.seal(json.dumps({"mrn": mrn}).encode(), row=str(intake_id))
        hashed = mrn_hashes(settings.lookup_key, FACILITY, mrn).as_typed
        return intake(**{"id": intake_id, "identity": sealed, "mrn_hash": hashed, **columns})

    return store


@pytest.fixture
def backfill(sessions, cipher, settings):
    """Return a function that makes a watchman's part of it, which looks at two intakes in a step."""
    return lambda: RecordNumbers(sessions, cipher, settings.lookup_key, limit=2)


@pytest.fixture
def normal(settings):
    return mrn_hashes(settings.lookup_key, FACILITY, "MRN-1").normalised


def hashes(sessions, table=Intake):
    with sessions() as session:
        return list(session.scalars(select(table.patient_hash).order_by(table.id)))


def test_all_are_hashed_after_some_steps_also_by_a_watchman_that_starts_anew(of_before, backfill, sessions, normal):
    for mrn in ("MRN-1", " MRN-1", "MRN-\uff11", "\u00adMRN-1", "MRN-1 "):
        of_before(mrn)
    backfill().step()
    assert hashes(sessions) == [normal, normal, None, None, None]
    second = backfill()
    second.step()
    second.step()
    assert hashes(sessions) == [normal] * 5


def test_referrals_get_the_hash_of_their_intake(of_before, backfill, sessions, normal, triager):
    of_before("MRN-1 ")
    triager.triage_waiting("routine")
    assert hashes(sessions, Referral) == [None]
    backfill().step()
    assert hashes(sessions, Referral) == [normal]


def test_what_is_triaged_later_has_it_too(of_before, backfill, sessions, normal, triager):
    of_before("MRN-1 ")
    backfill().step()
    triager.triage_waiting("routine")
    assert hashes(sessions, Referral) == [normal]


def test_forms_arrive_meanwhile(of_before, backfill, sessions, normal):
    locked, _, last = (of_before("MRN-1 ") for _ in range(3))
    sweep = backfill()
    with sessions.begin() as session:
        session.execute(update(Intake).where(Intake.id == locked).values(attempts=1))
        sweep.step()
        assert sorted(each is None for each in hashes(sessions)) == [False, False, True]  # waits for nobody
    of_before(" MRN-1")
    sweep.step()
    sweep = backfill()
    sweep.step()
    assert hashes(sessions) == [normal] * 4
    assert last


def test_two_at_once_do_it_once(of_before, backfill, sessions, normal):
    for _ in range(20):
        of_before("MRN-1 ")

    def sweep():
        one = backfill()
        for _ in range(11):
            one.step()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    backfill().step()
    assert hashes(sessions) == [normal] * 20


def test_what_does_not_open_is_left_counted_and_holds_up_nothing(of_before, backfill, sessions, normal):
    of_before("MRN-1", identity=b"altered")
    of_before("MRN-1", identity=b"")
    of_before("MRN-1")
    sweep = backfill()
    with capture_logs() as logged:
        sweep.step()
        sweep.step()
    assert hashes(sessions) == [None, None, normal]
    assert [(each["event"], each["count"]) for each in logged] == [("record_numbers.unreadable", 2)]


def test_a_wrong_lookup_key_changes_nothing(of_before, sessions, cipher):
    of_before("MRN-1 ")
    RecordNumbers(sessions, cipher, bytes(32)).step()
    assert hashes(sessions) == [None]


def test_it_is_a_duty_of_the_watchman(of_before, backfill, sessions, normal, triager):
    of_before("MRN-1 ")
    tasks = {task.name: task for task in Watchman(triager, record_numbers=backfill()).others()}
    tasks["record_numbers"].do()
    assert hashes(sessions) == [normal]


def test_migrate_hashes_all_at_once_where_it_is_told_to(of_before, sessions, normal, environment):
    for _ in range(3):
        of_before("MRN-1 ")
    of_before("MRN-1", identity=b"altered")
    answer = CliRunner().invoke(migrate, ["--record-numbers"], env=environment)
    assert answer.output == "record numbers: 3 hashed, 1 that these keys do not fit\n"
    assert hashes(sessions) == [normal] * 3 + [None]
