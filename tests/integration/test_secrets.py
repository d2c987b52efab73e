"""Start, `doctor` and `audit` look at every key that rows need, and at what does not open."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from uuid import UUID

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import insert, text, update
from uuid_utils.compat import uuid7

from services.cli.checks.doctor import doctor
from services.cli.checks.secrets import check_secrets
from services.cli.data.audit import audit
from services.cli.data.migrate import migrate
from shared.platform.crypto import IdentityCipher, UnreadableIdentityError, birth_date_hash, key_id_of
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.store.delivery.destinations import Place, put
from shared.store.patients import sealed
from shared.store.patients.record_numbers import mrn_hashes
from shared.tables import Destination, IdentityCorrection, Intake
from tests.conftest import encoded

K1, K2 = bytes(range(1, 33)), bytes(range(2, 34))
Store = Callable[..., UUID]


@pytest.fixture
def both(settings: Settings) -> Settings:
    """Settings with a key after a change of keys: the new one in front."""
    return replace(settings, identity_keys={"k2": K2, "k1": K1})


@pytest.fixture
def of_both(both: Settings, environment: dict[str, str]) -> Callable[..., dict[str, str]]:
    def of(*names: str) -> dict[str, str]:
        return environment | {
            "IDENTITY_KEYS": ",".join(f"{name}:{encoded(both.identity_keys[name])}" for name in names)
        }

    return of


@pytest.fixture
def store(sessions: Sessions, settings: Settings) -> Store:
    """A function that stores an intake sealed with a key, or with the bytes given."""

    def of(keys: dict[str, bytes], identity: bytes | None = None) -> UUID:
        intake = uuid7()
        plain = b'{"mrn":"MRN-1","birth_date":"1980-05-17"}'
        sealed = IdentityCipher(keys).seal(plain, row=str(intake)) if identity is None else identity
        with sessions.begin() as session:
            session.add(
                Intake(
                    id=intake,
                    facility="st-marys",
                    lane="routine",
                    today=date(2026, 11, 23),
                    answers={},
                    identity=sealed,
                    body_hash=b"",
                    request_id="",
                    mrn_hash=mrn_hashes(settings.lookup_key, "st-marys", "MRN-1").as_typed,
                    birth_date_hash=birth_date_hash(settings.lookup_key, "st-marys", "1980-05-17"),
                )
            )
        return intake

    return of


def test_a_key_that_older_rows_need_is_refused_by_name(both: Settings, sessions: Sessions, store: Store) -> None:
    store({"k1": K1})
    for _ in range(3):
        store({"k2": K2})
    with sessions() as session:
        check_secrets(session, both)
        with pytest.raises(click.ClickException, match=r"still need: 'k1' \(intakes\)$"):
            check_secrets(session, replace(both, identity_keys={"k2": K2}))
        with pytest.raises(click.ClickException, match="under the id 'k1' there is another key"):
            check_secrets(session, replace(both, identity_keys={"k2": K2, "k1": bytes(32)}))


def test_a_key_that_a_destination_or_the_history_needs_is_refused_by_name(
    both: Settings, sessions: Sessions, store: Store
) -> None:
    intake = store({"k2": K2})
    k1 = IdentityCipher({"k1": K1})
    k3 = IdentityCipher({"k3": bytes(32)})
    with sessions.begin() as session:
        put(session, Place("urgent", None, 0, "https://department.example"), k1)
        row = {"id": uuid7(), "intake_id": intake, "by": "A", "key_id": "k", "fields": ["mrn"], "reason": b""}
        kept = {"before": k3.seal(b"{}", row=str(intake)), "after": k3.seal(b"{}", row=str(intake))}
        session.execute(insert(IdentityCorrection).values({**row, **kept}))
    with sessions() as session, pytest.raises(click.ClickException, match=r"'k3' \(identity_corrections\)"):
        check_secrets(session, both)
    with sessions() as session, pytest.raises(click.ClickException, match=r"'k1' \(destinations\), 'k3'"):
        check_secrets(session, replace(both, identity_keys={"k2": K2}))


def test_migrate_and_doctor_name_it_too(store: Store, of_both: Callable[..., dict[str, str]]) -> None:
    store({"k1": K1})
    store({"k2": K2})
    assert CliRunner().invoke(migrate, env=of_both("k2", "k1")).exit_code == 0
    refused = CliRunner().invoke(migrate, env=of_both("k2"))
    assert (refused.exit_code, "'k1'" in refused.stderr) == (1, True)
    assert finding("secrets", of_both("k2", "k1"))["state"] == "ok"
    said = finding("secrets", of_both("k2"))
    assert (said["state"], "'k1'" in said["says"]) == ("fail", True)


DAMAGED = {
    "empty": b"",
    "other bytes": b"sealed",
    "cut off": b"\x02k1\x00",
    "a key id that is none": b"\x08" + b"\xfe" * 60,
}


@pytest.mark.parametrize("identity", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_row_keeps_nobody_from_starting_and_is_a_finding(
    identity: bytes, both: Settings, sessions: Sessions, store: Store, of_both: Callable[..., dict[str, str]]
) -> None:
    store({"k2": K2})
    damaged = store({}, identity)
    store({"k1": K1})
    with sessions() as session:
        check_secrets(session, both)
    assert finding("secrets", of_both("k2", "k1"))["state"] == "ok"
    found = finding("identities", of_both("k2", "k1"))
    assert (found["state"], found["says"].startswith("1 of the newest")) == ("fail", True)
    answer = CliRunner().invoke(audit, ["--json"], env=of_both("k2", "k1"))
    assert answer.exit_code == 1
    audited = json.loads(answer.stdout)
    assert (audited["findings"]["identity_unreadable"], audited["findings"]["secret_unreadable"]) == (1, 0)
    assert audited["examples"]["identity_unreadable"] == [str(damaged)]


def test_an_altered_key_id_is_damage_and_no_missing_key(both: Settings, sessions: Sessions, store: Store) -> None:
    intake = store({"k1": K1})
    store({"k2": K2})
    with sessions.begin() as session:
        session.execute(update(Intake).where(Intake.id == intake).values(identity=text("set_byte(identity, 1, 120)")))
    with sessions() as session:
        check_secrets(session, both)


def test_a_renamed_key_is_a_missing_one(both: Settings, sessions: Sessions, store: Store) -> None:
    for _ in range(2):
        store({"k1": K1})
    with sessions() as session, pytest.raises(click.ClickException, match="'k1'"):
        check_secrets(session, replace(both, identity_keys={"renamed": K1}))


def test_a_secret_that_does_not_open_is_a_finding(
    both: Settings, sessions: Sessions, of_both: Callable[..., dict[str, str]]
) -> None:
    with sessions.begin() as session:
        kept, _ = put(
            session, Place("urgent", None, 0, "https://department.example"), IdentityCipher(both.identity_keys)
        )
    assert finding("webhook secrets", of_both("k2"))["state"] == "ok"
    with sessions.begin() as session:
        session.execute(update(Destination).values(secret=text("substring(secret, 1, 20)")))
    assert finding("webhook secrets", of_both("k2"))["state"] == "fail"
    audited = json.loads(CliRunner().invoke(audit, ["--json"], env=of_both("k2")).stdout)
    assert audited["examples"]["secret_unreadable"] == [str(kept)]


def test_the_keys_in_use_are_found_in_as_many_steps_as_there_are_keys(sessions: Sessions, store: Store) -> None:
    for number in range(40):
        store({"k1": K1} if number % 2 else {"k2": K2})
    with sessions() as session:
        groups = [{key_id_of(each.value) for each in group} for group in sealed.samples(session)]
        assert groups == [{"k1"}, {"k2"}]
        assert all(len(group) <= 2 * sealed.MAX_SAMPLES for group in sealed.samples(session))
        columns = [column for column in sealed._COLUMNS if column.table == "intakes"]  # noqa: SLF001 - its plan is asked
        plan = session.execute(text(f"explain {sealed._keys(columns[0])}"), {"limit": 9}).scalars().all()  # noqa: SLF001
        assert "Seq Scan" not in "\n".join(plan)


@pytest.mark.parametrize("cut", range(60))
def test_the_cipher_has_one_error_for_every_damage(cut: int) -> None:
    cipher = IdentityCipher({"k1": K1})
    whole = cipher.seal(b"plain", row="row")
    assert cipher.open(whole, row="row") == b"plain"
    for damaged in (whole[:cut], whole[:cut] + bytes(1) + whole[cut + 1 :], whole[cut:], b"\xff" * cut):
        if damaged != whole:
            with pytest.raises(UnreadableIdentityError):
                cipher.open(damaged, row="row")


def finding(check: str, environment: dict[str, str]) -> dict[str, str]:
    said = json.loads(CliRunner().invoke(doctor, ["--json"], env=environment).stdout)
    (found,) = (each for each in said if each["check"] == check)
    return dict(found)
