"""The migrations are one line of history, and end at the tables."""

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import text

from shared.clinical.referral.references import read_reference
from shared.migrations.head import HEAD, HEAD_OF_0_1_0, at_head_or_later, version
from shared.migrations.migrate import alembic_config, upgrade
from shared.platform.database import create_engine

BEFORE = """
    with intake as (
        insert into intakes (id, facility, status, lane, triaged_at, today, answers, identity, mrn_hash, body_hash,
            request_id)
        select gen_random_uuid(), 'st-marys', 'triaged', 'routine', now(), current_date, '{}', '', 'hash', '', 'test'
        from generate_series(1, 2) returning id
    )
    insert into referrals (id, intake_id, facility, queue, priority, status, pattern, headline, acknowledge_by)
    select id, id, 'st-marys', 'neurology', 3, (array['queued', 'completed'])[row_number() over ()], 'p', 'h', now()
    from intake
"""
KEY = "insert into api_keys (id, secret_hash, role, facility) values ('k', '', 'submitter', 'city')"
AFTERWARDS = """
    select referrals.status, referrals.mrn_hash, form_received_at = received_at
    from referrals join intakes on intakes.id = intake_id order by 1
"""


def test_one_head_which_is_read_without_alembic():
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_a_schema_that_is_older_or_not_there_is_not_at_head(new_database):
    engine = create_engine(new_database("older"))
    with engine.begin() as connection:
        assert not at_head_or_later(connection)
        command.upgrade(alembic_config(connection), "0003")
        assert not at_head_or_later(connection)
    engine.dispose()


def test_the_migrated_schema_is_the_one_of_the_tables(engine):
    upgrade(engine)
    with engine.connect() as connection:
        assert at_head_or_later(connection)
        command.check(alembic_config(connection))


def test_migrating_twice_changes_nothing(engine):
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert at_head_or_later(connection)


@pytest.mark.parametrize("later", ["9998", "9999b"])
def test_a_later_schema_is_good_and_is_left_as_it_is(new_database, later):
    engine = create_engine(new_database("later"))
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("update schema_version set version_num = :later"), {"later": later})
    assert upgrade(engine) == later
    with engine.connect() as connection:
        assert at_head_or_later(connection)
        assert version(connection) == later
    engine.dispose()


@pytest.mark.parametrize("unknown", ["abcd", "0001x"])
def test_a_version_that_nobody_knows_is_not_good(new_database, unknown):
    engine = create_engine(new_database("unknown"))
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("update schema_version set version_num = :unknown"), {"unknown": unknown})
        assert not at_head_or_later(connection)
    with pytest.raises(CommandError):
        upgrade(engine)
    engine.dispose()


@pytest.mark.parametrize("revision", ["0003", "head"])
def test_release_0_1_0_reads_no_version_after_its_own(new_database, revision):
    engine = create_engine(new_database("versions"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), revision)
        versions = connection.scalars(text("select version_num from alembic_version")).all()
        assert versions == [min(version(connection) or "", HEAD_OF_0_1_0)]
    engine.dispose()


def test_what_was_open_before_knows_its_patient_afterwards(new_database):
    engine = create_engine(new_database("before"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0003")
        connection.execute(text(BEFORE))
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.execute(text(AFTERWARDS)).all()
    assert found == [("completed", None, None), ("queued", b"hash", True)]
    engine.dispose()


def test_what_was_there_before_has_a_reference_and_its_facility_is_registered(new_database):
    engine = create_engine(new_database("named"))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0007")
        connection.execute(text(KEY))
        for _ in range(50):
            connection.execute(text(BEFORE))
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text(BEFORE))  # as a worker of the release before goes on
    with engine.connect() as connection:
        references = connection.scalars(text("select reference from referrals where not test")).all()
        facilities = connection.execute(text("select name, kind, closed_at from facilities order by name")).all()
    assert len(set(references)) == 102
    assert [read_reference(each) for each in references] == references
    assert facilities == [("city", "live", None), ("st-marys", "live", None)]
    engine.dispose()
