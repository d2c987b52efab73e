"""Within a release migrations only add: on today's schema the release before goes on working."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, text

from shared.migrations.head import at_head_or_later, version
from shared.migrations.migrate import alembic_config, upgrade
from shared.platform.database import create_engine
from tests import release_before
from tests.release_before import ROOT, NoHistoryError, unpack

COLUMNS = """
    select table_name, column_name, udt_name, is_nullable = 'YES',
        column_default is not null or is_identity = 'YES' or is_generated = 'ALWAYS'
    from information_schema.columns where table_schema = 'public'
"""
WRITES = Path(release_before.__file__).parent / "writes.py"
READY = """
from sqlalchemy import create_engine
from shared.migrations.head import HEAD, at_head
from shared.platform.settings import load_settings
url = load_settings().database_url.replace("postgresql:", "postgresql+psycopg:")
with create_engine(url).connect() as connection:
    print(HEAD, at_head(connection))
"""


@dataclass(frozen=True)
class Column:
    """A column as far as a statement that does not know it depends on it."""

    type: str
    nullable: bool
    filled: bool  # by the database, where a row does not name it


Schema = dict[tuple[str, str], Column]


def schema_of(connection: Connection) -> Schema:
    return {(table, name): Column(*rest) for table, name, *rest in connection.execute(text(COLUMNS))}


def broken(before: Schema, today: Schema) -> list[str]:
    """Say what today's schema does to statements of the release before."""
    tables = {table for table, _ in before}
    dropped = [f"{table}.{name} is dropped" for table, name in before.keys() - today.keys()]
    added = [
        f"{table}.{name} is new, and wants a value"
        for table, name in today.keys() - before.keys()
        if table in tables and not (today[table, name].nullable or today[table, name].filled)
    ]
    changed = []
    for table, name in before.keys() & today.keys():
        old, new = before[table, name], today[table, name]
        if new.type != old.type:
            changed.append(f"{table}.{name} was {old.type} and is {new.type}")
        if old.nullable and not new.nullable:
            changed.append(f"{table}.{name} may no longer be null")
        if old.filled and not (new.filled or new.nullable):
            changed.append(f"{table}.{name} has lost its default")
    return sorted([*dropped, *added, *changed])


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("release") / "before")


@pytest.fixture
def database(new_database, environment, code) -> Iterator[tuple[Engine, dict[str, str]]]:
    """A database that the release before has migrated, and the environment for its code."""
    settings = new_database("rolled")
    of_code = environment | {"DATABASE_URL": settings.database_url}
    of_code |= {name: word for name, word in release_before.environment(code).items() if name.startswith("PYTHON")}
    release_before.run(code, "-m", "services.cli", "migrate", **of_code)
    engine = create_engine(settings)
    yield engine, of_code
    engine.dispose()


def test_migrations_since_the_release_before_only_add(database):
    engine, _ = database
    with engine.connect() as connection:
        before = schema_of(connection)
        assert version(connection) == release_before.HEAD
    upgrade(engine)
    with engine.connect() as connection:
        assert broken(before, schema_of(connection)) == []
        assert at_head_or_later(connection)
        command.check(alembic_config(connection))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("alter table intakes drop column traceparent", "intakes.traceparent is dropped"),
        ("alter table intakes rename column today to day", "intakes.today is dropped"),
        ("drop table heartbeats cascade", "heartbeats.beat_at is dropped"),
        ("alter table intakes add column ward text not null", "intakes.ward is new, and wants a value"),
        ("alter table intakes alter column external_id set not null", "intakes.external_id may no longer be null"),
        ("alter table intakes alter column received_at drop default", "intakes.received_at has lost its default"),
        ("alter table intakes alter column today type timestamptz", "intakes.today was date and is timestamptz"),
    ],
)
def test_a_migration_that_takes_away_is_found(engine, statement, named):
    with engine.connect() as connection:
        before = schema_of(connection)
        connection.execute(text(statement))
        assert named in broken(before, schema_of(connection))
        connection.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "alter table intakes add column ward text",
        "alter table intakes add column ward text not null default ''",
        "create table wards (name text not null)",
        "alter table intakes alter column today drop not null",
    ],
)
def test_a_migration_that_adds_is_good(engine, statement):
    with engine.connect() as connection:
        before = schema_of(connection)
        connection.execute(text(statement))
        assert broken(before, schema_of(connection)) == []
        connection.rollback()


@pytest.mark.timeout(400)  # each of its programs has a limit of its own, in tests/release_before
def test_what_the_release_before_writes_is_valid_before_and_after_a_migration(database, code):
    """A new constraint looks at the rows that are there when it is made, and at those that are written afterwards."""
    engine, of_code = database
    release_before.run(code, WRITES, "before", **of_code)
    upgrade(engine)
    release_before.run(code, WRITES, "after", **of_code)
    audited = release_before.run(code, "-m", "services.cli", "audit", **of_code)
    assert "unbroken" in audited


def test_the_release_before_is_ready_on_todays_schema_and_its_migrate_changes_nothing(database, code):
    engine, of_code = database
    upgrade(engine)
    with engine.connect() as connection:
        found = version(connection)
    assert release_before.run(code, "-c", READY, **of_code).split() == [release_before.HEAD, "True"]
    release_before.run(code, "-m", "services.cli", "migrate", **of_code)
    with engine.connect() as connection:
        assert version(connection) == found
        assert at_head_or_later(connection)


def test_without_the_history_it_says_what_to_do(tmp_path):
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", shallow], check=True)
    with pytest.raises(NoHistoryError, match="--unshallow"):
        unpack(tmp_path / "code", shallow)
    with pytest.raises(NoHistoryError, match="--unshallow"):
        unpack(tmp_path / "code", tmp_path)
