"""A new database gets its schema and a key for each role, once; none is served with secrets that do not fit it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from services.cli.admin.first_keys import first_keys
from services.cli.checks.database import check_schema
from services.cli.checks.secrets import check_secrets
from services.cli.data.migrate import migrate, prepare
from services.cli.support.database import database
from shared.migrations.head import HEAD, at_head_or_later
from shared.platform.crypto import IdentityCipher
from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.store.access import keys
from shared.store.patients.record_numbers import mrn_hashes
from shared.tables import ROLES, Intake
from tests.conftest import LOOKUP_KEY

NewDatabase = Callable[[str], Settings]


@pytest.fixture
def new(new_database: NewDatabase) -> Settings:
    return new_database("unprepared")


@pytest.fixture
def of_new(new: Settings, environment: dict[str, str]) -> dict[str, str]:
    return environment | {"DATABASE_URL": new.database_url}


def test_migrate_brings_a_new_database_to_the_schema(new: Settings, of_new: dict[str, str]) -> None:
    assert CliRunner().invoke(migrate, env=of_new).exit_code == 0
    with database(new) as (engine, _), engine.connect() as connection:
        assert at_head_or_later(connection)


def test_migrate_says_that_a_later_schema_is_left_as_it_is(new: Settings, of_new: dict[str, str]) -> None:
    assert CliRunner().invoke(migrate, env=of_new).output == f"schema empty → {HEAD}\n"
    assert CliRunner().invoke(migrate, env=of_new).output == ""
    with database(new) as (engine, sessions):
        with engine.begin() as connection:
            connection.execute(text("update schema_version set version_num = '9998'"))
        migrated = CliRunner().invoke(migrate, env=of_new)
        assert (migrated.exit_code, migrated.output) == (
            0,
            f"The schema is at 9998, later than {HEAD}, which this version needs: there is nothing to do.\n",
        )
        with sessions() as session:
            checked = check_schema(session)
        assert (checked.state, checked.says) == ("ok", f"at 9998; this version needs {HEAD} or later")


def test_the_first_keys_are_issued_once_into_a_closed_file(
    new: Settings, of_new: dict[str, str], tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert CliRunner().invoke(prepare, env=of_new).exit_code == 0
    for file in (first, second):
        assert CliRunner().invoke(first_keys, [str(file)], env=of_new).exit_code == 0
    assert first.stat().st_mode & 0o777 == 0o600
    assert not second.exists()
    issued = json.loads(first.read_text())
    assert [each["role"] for each in issued] == ["submitter", "department", "operator", "auditor", "admin"]
    with database(new) as (_, sessions), sessions() as session:
        assert sorted(key.role for key in keys.list_all(session)) == sorted(ROLES)


def test_secrets_that_do_not_open_the_data_are_refused(settings: Settings, sessions: Sessions) -> None:
    intake = UUID(int=1)
    sealed = IdentityCipher(settings.identity_keys).seal(b'{"mrn": "MRN-1"}', row=str(intake))
    with sessions.begin() as session:
        session.add(
            Intake(
                id=intake,
                facility="st-marys",
                lane="routine",
                today=date(2026, 11, 23),
                answers={},
                identity=sealed,
                mrn_hash=mrn_hashes(settings.lookup_key, "st-marys", "MRN-1").as_typed,
                body_hash=b"",
                request_id="",
            )
        )
    with sessions() as session:
        check_secrets(session, settings)
        with pytest.raises(click.ClickException, match="IDENTITY_KEYS do not open"):
            check_secrets(session, replace(settings, identity_keys={"test": LOOKUP_KEY}))
        with pytest.raises(click.ClickException, match="LOOKUP_KEY is not the one"):
            check_secrets(session, replace(settings, lookup_key=bytes(32)))


def test_a_database_that_is_away_is_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    away = environment | {"DATABASE_URL": f"postgresql://psoas@/psoas?host={tmp_path}"}
    answer = CliRunner().invoke(migrate, env=away)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: the database: ")
    assert answer.stderr.count("\n") == 1


def test_settings_that_are_missing_are_named_together() -> None:
    names = ("DATABASE_URL", "IDENTITY_KEYS", "LOOKUP_KEY")  # the broker is not for the migration
    answer = CliRunner().invoke(migrate, env=dict.fromkeys(names))
    assert answer.exit_code == 1
    assert all(name in answer.stderr for name in names)
