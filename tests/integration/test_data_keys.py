"""Data keys turn while the service goes on: run twice, killed half-way, beside a transaction that holds rows."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import orjson
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, func, insert, make_url, select, text, update
from uuid_utils.compat import uuid7

from services.cli.checks.secrets import check_secrets
from services.cli.data.audit import audit
from services.cli.data.migrate import migrate
from services.cli.main import main
from shared.platform.ciphers import identity_cipher, webhook_cipher
from shared.platform.crypto import IdentityCipher, UnreadableIdentityError, birth_date_hash, key_id_of, open_identity
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.store.access.access_search import hashes_of
from shared.store.delivery.destinations import Place, put, secret_of
from shared.store.event_log.events import append_events
from shared.store.event_log.texts import open_text
from shared.store.lists.intake_lists import IntakeFilter, intakes_of
from shared.store.names.external_ids import columns_of, external_id_hash, opened_external_id
from shared.store.patients.identities import reason_row
from shared.store.patients.record_numbers import mrn_hashes
from shared.store.patients.sealed_columns import IDENTITY
from shared.store.rotation.batches import MAX_WALKS
from shared.store.rotation.identity_keys import reseal
from shared.tables import Destination, EventText, IdentityCorrection, Intake, Referral
from tests.conftest import encoded

FACILITY = "st-marys"
K1, K2, W1, L2 = (bytes(range(first, first + 32)) for first in (1, 2, 3, 4))
Run = Callable[..., Result]


@pytest.fixture
def new(settings: Settings) -> Settings:
    """Settings after a change of keys: a new one in front, another for webhooks, a new LOOKUP_KEY."""
    return replace(
        settings,
        identity_keys={"k2": K2, "k1": K1},
        webhook_keys={"k1": W1},  # the same id as an identity key: nothing keeps them apart but their use
        lookup_key=L2,
        previous_lookup_key=settings.lookup_key,
    )


@pytest.fixture
def env(settings: Settings, new: Settings, environment: dict[str, str], engine: Engine) -> dict[str, str]:  # noqa: ARG001
    """The environment of a command that connects by the role of maintenance, with the new keys."""
    owner = make_url(settings.database_url)
    given = environment | {
        "OWNER_DATABASE_URL": settings.database_url,
        "MAINTENANCE_DATABASE_URL": owner.set(username="psoas_maintenance", password="m").render_as_string(False),  # noqa: S106
    }
    given |= {
        "IDENTITY_KEYS": f"k2:{encoded(K2)},k1:{encoded(K1)}",
        "WEBHOOK_KEYS": f"k1:{encoded(W1)}",
        "LOOKUP_KEY": encoded(new.lookup_key),
        "LOOKUP_KEY_PREVIOUS": encoded(settings.lookup_key),
    }
    done = CliRunner().invoke(migrate, env=given)
    assert done.exit_code == 0, done.output
    return given


@pytest.fixture
def run(env: dict[str, str]) -> Run:
    return lambda *words, **more: CliRunner().invoke(main, ["keys", *words], env=env | more)


def stored(sessions: Sessions, settings: Settings, count: int = 1) -> list[UUID]:
    """Store intakes as the release before sealed them, each of a patient of its own."""
    old = IdentityCipher({"k1": K1}, bound=False)
    ids = [uuid7() for _ in range(count)]
    with sessions.begin() as session:
        session.execute(insert(Intake), [row_of(settings, old, intake) for intake in ids])
    return ids


def row_of(settings: Settings, cipher: IdentityCipher, intake: UUID) -> dict[str, object]:
    hashes = mrn_hashes(settings.lookup_key, FACILITY, f"mrn-{intake}")
    identity = orjson.dumps({"mrn": f"mrn-{intake}", "birth_date": "1980-05-17"})
    return {
        "id": intake,
        "facility": FACILITY,
        "lane": "routine",
        "today": date(2026, 11, 23),
        "answers": {},
        "identity": cipher.seal(identity, row=str(intake)),
        "body_hash": b"",
        "request_id": "",
        "mrn_hash": hashes.as_typed,
        "patient_hash": hashes.normalised,
        "birth_date_hash": birth_date_hash(settings.lookup_key, FACILITY, "1980-05-17"),
        "external_id": f"E-{intake}",  # in the clear, as that release wrote it
    }


@pytest.fixture
def corrected(sessions: Sessions, settings: Settings) -> UUID:
    """An intake with a correction and a destination that the release before sealed, and with what this one adds."""
    (intake,) = stored(sessions, settings)
    old, before = IdentityCipher({"k1": K1}, bound=False), IdentityCipher({"k1": K1})
    correction = uuid7()
    named = columns_of("E-1", FACILITY, intake, key=settings.lookup_key, cipher=before)
    with sessions.begin() as session:
        kept = session.scalar(select(Intake.identity).where(Intake.id == intake))
        reason = old.seal(b"misread", row=reason_row(correction))
        who = {"by": "A", "key_id": "k", "fields": ["mrn"]}
        rows = {"id": correction, "intake_id": intake, "before": kept, "after": kept, "reason": reason, **who}
        session.execute(insert(IdentityCorrection).values(rows))
        put(session, Place("urgent", None, 0, "https://department.example"), old)
        names = {"external_id": None, "external_id_hash": named.hash, "external_id_sealed": named.sealed}
        session.execute(update(Intake).values(names))
        referral = {"id": intake, "intake_id": intake, "facility": FACILITY, "queue": "neurology", "priority": 3}
        session.execute(insert(Referral).values(**referral, pattern="p", headline="h", acknowledge_by=func.now()))
        done = {"type": "referral.completed", "by": "A", "data": {"outcome": "Seen."}}
        append_events(session, [{"referral_id": intake, "intake_id": intake, **done}], cipher=before)
    return intake


def test_everything_sealed_is_sealed_anew_and_opens_without_the_old_key(
    corrected: UUID, run: Run, sessions: Sessions, new: Settings
) -> None:
    done = run("rotate-identity")
    assert done.exit_code == 0, done.output
    assert done.output.count(": 1 sealed anew, 0 in use, 0 do not open") == 7
    again = run("rotate-identity")
    assert (again.exit_code, again.output.count(": 0 sealed anew")) == (0, 7)
    only = replace(new, identity_keys={"k2": K2})
    with sessions() as session:
        check_secrets(session, only)
        intake = session.get_one(Intake, corrected)
        correction = session.scalars(select(IdentityCorrection)).one()
        for sealed in (intake.identity, correction.before, correction.after):
            assert open_identity(identity_cipher(only), sealed, corrected)["mrn"] == f"mrn-{corrected}"
        assert opened_external_id(identity_cipher(only), intake.external_id_sealed or b"", corrected) == "E-1"
        words = session.scalars(select(EventText)).one()
        assert open_text(identity_cipher(only), words.id, words.sealed)[1] == {"outcome": "Seen."}
        assert identity_cipher(only).open(correction.reason, row=reason_row(correction.id)) == b"misread"
        destination = session.scalars(select(Destination)).one()
        assert secret_of(webhook_cipher(only), destination.id, destination.secret).startswith("whsec_")
        with pytest.raises(UnreadableIdentityError):  # identity keys open no webhook secret any more
            secret_of(identity_cipher(new), destination.id, destination.secret)


def test_a_value_opens_nowhere_but_where_it_was_sealed(new: Settings) -> None:
    cipher, intake = identity_cipher(new), uuid7()
    sealed = cipher.seal(b"plain", row=str(intake))
    assert (cipher.open(sealed, row=str(intake)), key_id_of(sealed)) == (b"plain", "k2")
    renamed = sealed.replace(b"\x02k2", b"\x02k3", 1)
    same_bytes = IdentityCipher({"k3": K2, "k2": K2})
    for other, row, value in (
        (cipher, str(uuid7()), sealed),
        (cipher, reason_row(intake), sealed),
        (cipher, f"destination:{intake}", sealed),
        (same_bytes, str(intake), renamed),
    ):
        with pytest.raises(UnreadableIdentityError):
            other.open(value, row=row)
    assert same_bytes.open(sealed, row=str(intake)) == b"plain"


def test_format_1_is_written_while_the_release_before_runs(new: Settings) -> None:
    sealed = identity_cipher(replace(new, sealing_format=1)).seal(b"plain", row="row")
    assert sealed.startswith(b"\x02k2")
    assert identity_cipher(new).open(sealed, row="row") == b"plain"


def test_what_does_not_open_stays_and_is_said(
    corrected: UUID, run: Run, sessions: Sessions, settings: Settings
) -> None:
    (damaged,) = stored(sessions, settings)
    with sessions.begin() as session:
        session.execute(update(Intake).where(Intake.id == damaged).values(identity=b"\x02k1" + bytes(40)))
    done = run("rotate-identity")
    assert (done.exit_code, "intakes.identity: 1 sealed anew, 0 in use, 1 do not open" in done.output) == (1, True)
    with sessions() as session:
        assert session.get_one(Intake, damaged).identity == b"\x02k1" + bytes(40)
        assert key_id_of(session.get_one(Intake, corrected).identity) == "k2"


def test_rows_that_are_in_use_are_left_and_done_later(sessions: Sessions, settings: Settings, new: Settings) -> None:
    first, second = stored(sessions, settings, 2)
    with sessions.begin() as other:
        other.execute(text("select from intakes where id = :id for update"), {"id": first})
        walked = reseal(sessions, IDENTITY, identity_cipher(new), limit=1)
        assert (walked.changed, walked.left, walked.closed) == (1, 1, 0)
    assert MAX_WALKS > 1
    assert keys_of(sessions, [first, second]) == ["k1", "k2"]
    walked = reseal(sessions, IDENTITY, identity_cipher(new), limit=1)
    assert (walked.changed, walked.left, walked.closed) == (1, 0, 0)


def keys_of(sessions: Sessions, ids: Sequence[UUID]) -> list[str | None]:
    with sessions() as session:
        return [key_id_of(session.get_one(Intake, each).identity) for each in ids]


COUNT = 6000


@pytest.mark.parametrize(
    ("command", "done"),
    [
        ("rotate-identity", "sealing_key(identity) = '\\x026b32'::bytea"),
        ("rotate-identity", "external_id is null"),
        ("rotate-lookup", "patient_hash <> body_hash"),
    ],
)
def test_killed_half_way_it_goes_on(
    command: str, done: str, env: dict[str, str], run: Run, sessions: Sessions, settings: Settings
) -> None:
    stored(sessions, settings, COUNT)
    with sessions.begin() as session:  # what was hashed before is told from what is hashed anew
        session.execute(text("update intakes set body_hash = patient_hash"))
    killed = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "keys", command], env=env, stdout=subprocess.DEVNULL
    )
    count = text(f"select count(*) from intakes where {done}")  # noqa: S608 - a constant
    for counted in counts(sessions, count):
        if counted:
            killed.send_signal(signal.SIGKILL)
            break
    killed.wait()
    with sessions() as session:
        part = session.scalar(count)
    assert part is not None
    assert 0 < part < COUNT
    again = run(command)
    assert again.exit_code == 0, again.output
    assert f"{COUNT - part} " in again.output
    with sessions() as session:
        assert session.scalar(count) == COUNT


def counts(sessions: Sessions, statement: object) -> Iterator[int]:
    while True:
        with sessions() as session:
            yield session.scalar(statement)


def test_look_ups_find_a_patient_before_and_after_their_hashes_turn(
    corrected: UUID, run: Run, sessions: Sessions, new: Settings, settings: Settings
) -> None:
    with sessions.begin() as session:
        access = text("""
            insert into access_log (key_id, role, address, request_id, method, route, status)
            values ('k', 'operator', '::1', 'r', 'GET', '/', 200) returning id
        """)
        hashed = mrn_hashes(settings.lookup_key, FACILITY, f"mrn-{corrected}").normalised
        row = {"id": session.scalar(access), "hash": hashed}
        session.execute(text("insert into access_log_patients values (:hash, now(), :id)"), row)
        check_secrets(session, new)

    def found(keys: Sequence[bytes]) -> tuple[int, int]:
        with sessions() as session:
            hashes = hashes_of(session, keys, f"mrn-{corrected}", FACILITY)
            intakes = text("select count(*) from intakes where patient_hash = any(:hashes)")
            accesses = text("select count(distinct access_id) from access_log_patients where patient = any(:hashes)")
            return tuple(session.scalar(each, {"hashes": hashes}) for each in (intakes, accesses))  # type: ignore[return-value]

    assert (found(new.lookup_keys), found([L2])) == ((1, 1), (0, 0))
    done = run("rotate-lookup")
    assert "1 hashed anew, 0 in use, 0 that" in done.output
    assert (found(new.lookup_keys), found([L2])) == ((1, 1), (1, 1))
    assert "0 hashed anew" in run("rotate-lookup").output
    with sessions() as session:
        check_secrets(session, replace(new, previous_lookup_key=None))


def test_external_ids_are_hashed_and_sealed_and_found_by_either_key(
    run: Run, sessions: Sessions, settings: Settings, new: Settings
) -> None:
    clear, hashed = stored(sessions, settings, 2)

    def found(keys: Sequence[bytes]) -> list[UUID]:
        with sessions() as session:
            asked = (IntakeFilter(external_id=f"E-{each}") for each in (clear, hashed))
            lists = (
                intakes_of(session.connection(), FACILITY, each, lookup_keys=keys, limit=9, after=None)
                for each in asked
            )
            return [each.id for found in lists for each in found]

    assert run("rotate-identity", LOOKUP_KEY=encoded(settings.lookup_key), LOOKUP_KEY_PREVIOUS="").exit_code == 0
    with sessions.begin() as session:
        assert session.scalars(select(Intake.external_id)).all() == [None, None]
        session.execute(update(Intake).where(Intake.id == clear).values(external_id=f"E-{clear}"))
    assert (found(new.lookup_keys), found([L2])) == ([clear, hashed], [clear])
    assert "2 hashed anew" in run("rotate-lookup").output
    assert "0 hashed anew" in run("rotate-lookup").output
    assert found([L2]) == [clear, hashed]
    assert "intakes.external_id: 1 sealed, 0 in use, 0 twice" in run("rotate-identity").output
    assert "intakes.external_id: 0 sealed, 0 in use, 0 twice" in run("rotate-identity").output
    assert found([L2]) == [clear, hashed]


def test_external_ids_stay_in_the_clear_while_the_release_before_runs(
    run: Run, sessions: Sessions, settings: Settings
) -> None:
    (intake,) = stored(sessions, settings)
    assert run("rotate-identity", SEALING_FORMAT="1").exit_code == 0
    with sessions() as session:
        assert session.get_one(Intake, intake).external_id == f"E-{intake}"


def test_two_intakes_of_one_external_id_are_said_and_left(
    run: Run, sessions: Sessions, settings: Settings, new: Settings
) -> None:
    clear, other = stored(sessions, settings, 2)
    hashed = external_id_hash(new.lookup_key, FACILITY, f"E-{clear}")
    with sessions.begin() as session:
        session.execute(update(Intake).where(Intake.id == other).values(external_id=None, external_id_hash=hashed))
    done = run("rotate-identity")
    assert (done.exit_code, "1 external ids name two intakes" in done.output) == (1, True)
    with sessions() as session:
        assert session.get_one(Intake, clear).external_id == f"E-{clear}"


def test_rotate_lookup_needs_the_key_before(run: Run) -> None:
    refused = run("rotate-lookup", LOOKUP_KEY_PREVIOUS="")
    assert (refused.exit_code, "LOOKUP_KEY_PREVIOUS" in refused.output) == (1, True)


def test_the_audit_finds_nothing_after_both(corrected: UUID, run: Run, env: dict[str, str]) -> None:  # noqa: ARG001
    assert (run("rotate-identity").exit_code, run("rotate-lookup").exit_code) == (0, 0)
    found = orjson.loads(CliRunner().invoke(audit, ["--json"], env=env).stdout)["findings"]
    names = ("identity_unreadable", "secret_unreadable", "external_id_unreadable", "text_altered", "text_unreadable")
    assert {found[name] for name in names} == {0}
