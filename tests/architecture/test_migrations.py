"""The migrations are one line of history, and end at the tables."""

from alembic import command
from alembic.script import ScriptDirectory

from shared.migrations import alembic_config, at_head, upgrade


def test_one_head():
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_the_migrated_schema_is_the_one_of_the_tables(engine):
    upgrade(engine)
    with engine.connect() as connection:
        assert at_head(connection)
        command.check(alembic_config(connection))


def test_migrating_twice_changes_nothing(engine):
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert at_head(connection)
