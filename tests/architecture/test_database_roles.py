"""The roles beside the owner: the service adds and moves rows and rewrites nothing that was recorded; the reader reads."""  # noqa: E501

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.errors import InsufficientPrivilege, RestrictViolation
from sqlalchemy import Engine, make_url

from services.cli.data.migrate import migrate
from shared.migrations.migrate import upgrade
from shared.migrations.privileges import (
    DELETED_FROM,
    ERASED_FROM,
    FIXED_COLUMNS,
    MAINTENANCE,
    ONLY_ADDED,
    READER,
    SERVICE,
)
from shared.migrations.roles import logins
from shared.platform.settings import Settings
from shared.tables import Table

ROOT = Path(__file__).parents[2]
Connect = Callable[[str], psycopg.Connection]
LOGINS = {"service": "psoas_service", "reader": "metrics-of-the-tests", "maintenance": "psoas_maintenance"}


@pytest.fixture(scope="module")
def urls(settings: Settings, migrated: object) -> dict[str, str]:  # noqa: ARG001 - it makes the database `psoas`
    owner = make_url(settings.database_url)
    return {"owner": settings.database_url} | {
        name: owner.set(username=user, password=f"{name}'s-%-password").render_as_string(hide_password=False)
        for name, user in LOGINS.items()
    }


@pytest.fixture(scope="module")
def given(urls: dict[str, str], migrated: Engine, service_settings: Settings) -> Iterator[dict[str, str]]:
    """The variables of the roles; afterwards the service has the password again that all other tests connect with."""
    yield {
        "DATABASE_URL": urls["service"],
        "OWNER_DATABASE_URL": urls["owner"],
        "READER_DATABASE_URL": urls["reader"],
        "MAINTENANCE_DATABASE_URL": urls["maintenance"],
    }
    upgrade(migrated, logins(service_settings))


@pytest.fixture
def as_role(
    urls: dict[str, str],
    given: dict[str, str],
    environment: dict[str, str],
    engine: Engine,  # noqa: ARG001 - its tables are empty
) -> Iterator[Connect]:
    """A function that connects as a role that `migrate` has let in; nothing that is done there stays."""
    done = CliRunner().invoke(migrate, env=environment | given)
    assert done.exit_code == 0, done.output
    opened: list[psycopg.Connection] = []

    def connect(name: str) -> psycopg.Connection:
        opened.append(psycopg.connect(urls[name]))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.rollback()
        connection.close()


RECORDED = ("events", "decisions", "identity_corrections", "delivery_attempts")
FORBIDDEN = [
    *(f"delete from {table}" for table in (*RECORDED, "intakes", "referrals", "api_keys", "deliveries")),  # noqa: S608
    *(f"truncate {table} cascade" for table in (*RECORDED, "queue_changes")),
    "alter table events disable trigger user",
    "alter table events add column other text",
    "drop trigger events_are_only_added on events",
    "drop table decisions",
    "create table mine (id int)",
    "create function mine() returns int language sql as 'select 1'",
    "set session_replication_role = replica",
    "set role psoas",
    "alter role psoas password 'mine'",
    "create role mine login",
    "update events set data = '{}'",
    "update events set text_id = null",
    "delete from event_texts",
    "update event_texts set sealed = ''",
    "update intakes set external_id_hash = '', external_id_sealed = ''",
    "update events set type = 'referral.noted', number = 1",
    "update decisions set record = '{}'",
    "update intakes set answers = '{}'",
    "update referrals set facility = 'elsewhere'",
    "update api_keys set role = 'admin'",
    "update api_keys set secret_hash = ''",
    "update people set login = 'mine'",
    "update people set name = 'mine'",
    "update people set facility = null, queues = '{}'",
    "update facilities set kind = 'test'",
    "update identity_corrections set reason = ''",
    "update schema_version set version_num = '0001'",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_service_cannot(as_role: Connect, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        as_role("service").execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "statement",
    [
        "insert into api_keys (id, secret_hash, role) values ('a', 'b', 'operator')",
        "update events set number = number, digest = digest",
        "update referrals set status = 'queued', version = version + 1",
        "update intakes set lease_until = now()",
        "update api_keys set revoked_at = now()",
        "delete from idempotency_keys",
        "select pg_database_size(current_database())",
        "select version_num from schema_version",
    ],
)
def test_the_service_can(as_role: Connect, statement: str) -> None:
    as_role("service").execute(statement)  # type: ignore[arg-type]


def test_the_reader_adds_nothing(as_role: Connect) -> None:
    with pytest.raises(InsufficientPrivilege):
        as_role("reader").execute("insert into queue_changes (facility) values ('a')")


@pytest.mark.parametrize("name", ["reader", "maintenance"])
@pytest.mark.parametrize(
    "statement",
    ["insert into intakes (facility) values ('a')", "update intakes set answers = answers"]
    + [f"update {table} set {column} = {column}" for table, column in (("referrals", "status"), ("events", "number"))]  # noqa: S608
    + ["delete from events", "truncate events", "update events set text_id = null"]
    + ["insert into event_texts (id) values (gen_random_uuid())", "update event_texts set referral_id = referral_id"],
)
def test_the_others_change_nothing(as_role: Connect, name: str, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        as_role(name).execute(statement)  # type: ignore[arg-type]


def test_maintenance_seals_anew_and_erases_what_people_wrote_and_nobody_else_does(as_role: Connect) -> None:
    for statement in ("update event_texts set sealed = ''", "delete from event_texts"):
        as_role("maintenance").execute(statement)  # type: ignore[arg-type]
        with pytest.raises(InsufficientPrivilege):
            as_role("reader").execute(statement)  # type: ignore[arg-type]


def test_the_reader_reads_everything_but_what_opens_a_session(as_role: Connect) -> None:
    reader = as_role("reader")
    for table in Table.metadata.tables.keys() - {"console_sessions"}:
        reader.execute(f"select * from {table}")  # type: ignore[arg-type]  # noqa: S608
    with pytest.raises(InsufficientPrivilege):
        reader.execute("select * from console_sessions")


def test_an_event_that_has_its_number_gets_no_other(as_role: Connect, urls: dict[str, str]) -> None:
    """Numbering is the one change that the service may make to an event, and a trigger allows it once."""
    with psycopg.connect(urls["owner"]) as owner:
        owner.execute("""
            insert into intakes (id, facility, lane, today, answers, identity, mrn_hash, body_hash, request_id)
            values (gen_random_uuid(), 'a', 'routine', now(), '{}', '', '', '', 'r')
        """)
        owner.execute("""
            insert into referrals (id, intake_id, facility, queue, priority, pattern, headline, acknowledge_by)
            select id, id, 'a', 'urgent', 0, 'p', 'h', now() from intakes limit 1
        """)
        owner.execute("""
            insert into events (type, referral_id, intake_id, number, digest)
            select 'referral.queued', id, id, 1, '' from intakes limit 1
        """)
    with pytest.raises(RestrictViolation):
        as_role("service").execute("update events set number = 2")


@pytest.mark.parametrize(
    "statement",
    [
        "update api_keys set revoked_at = null where id = 'revoked'",
        "update api_keys set revoked_at = now() + interval '1 day' where id = 'revoked'",
        "update api_keys set expires_at = null where id = 'live'",
        "update api_keys set expires_at = expires_at + interval '1 second' where id = 'live'",
        "update people set closed_at = null where id = 'closed'",
    ],
)
def test_what_was_closed_stays_closed(as_role: Connect, statement: str) -> None:
    service = as_role("service")
    service.execute("insert into people (id, name, role, closed_at) values ('closed', 'A', 'admin', now())")
    for name, revoked in (("revoked", "now()"), ("live", "null")):
        service.execute(
            "insert into api_keys (id, secret_hash, role, expires_at, revoked_at) "  # type: ignore[arg-type]  # noqa: S608
            f"values ('{name}', 'b', 'admin', now() + interval '1 day', {revoked})"
        )
    service.execute("update api_keys set expires_at = now(), last_used_at = now() where id = 'live'")
    service.execute("update api_keys set last_used_at = now(), label = 'old' where id = 'revoked'")
    with pytest.raises(RestrictViolation):
        service.execute(statement)  # type: ignore[arg-type]


def test_migrate_twice_changes_the_password(
    as_role: Connect, given: dict[str, str], environment: dict[str, str]
) -> None:
    as_role("service")
    other = make_url(given["DATABASE_URL"]).set(password="other").render_as_string(hide_password=False)  # noqa: S106
    assert CliRunner().invoke(migrate, env=environment | given | {"DATABASE_URL": other}).exit_code == 0
    psycopg.connect(other).close()
    with pytest.raises(psycopg.OperationalError):
        as_role("service")


def test_an_owner_who_may_not_create_roles_says_what_to_do(
    as_role: Connect, given: dict[str, str], environment: dict[str, str], settings: Settings
) -> None:
    as_role("service")
    other = make_url(given["DATABASE_URL"]).set(username="new_one").render_as_string(hide_password=False)
    poor = replace(settings, database_url=given["DATABASE_URL"]).database_url
    done = CliRunner().invoke(migrate, env=environment | given | {"DATABASE_URL": other, "OWNER_DATABASE_URL": poor})
    assert done.exit_code == 1


def test_every_table_that_is_deleted_from_may_be() -> None:
    """A statement of the store that deletes needs the right to: as the owner, tests would not notice."""
    models = {mapper.class_.__name__: mapper.local_table.name for mapper in Table.registry.mappers}  # type: ignore[attr-defined]
    found: dict[bool, set[str]] = {True: set(), False: set()}  # by whether maintenance does it
    store = ROOT / "shared" / "store"
    for file in [file for kind in ("*.py", "*.sql") for file in store.rglob(kind)]:
        words, erases = file.read_text(), file.is_relative_to(store / "retention")
        found[erases] |= set(re.findall(r"\bdelete from (\w+)", words))
        found[erases] |= {models[name] for name in re.findall(r"\bdelete\((\w+)\)", words)}
    assert found[False] == DELETED_FROM & Table.metadata.tables.keys()
    assert found[True] == {table for table, may in ERASED_FROM.items() if "delete" in may}


def test_what_is_protected_is_there() -> None:
    later = {"access_log", "access_log_patients", "failed_authentications", "people"}
    assert {*ONLY_ADDED, *FIXED_COLUMNS, *DELETED_FROM} - Table.metadata.tables.keys() <= later
    assert {SERVICE, READER, MAINTENANCE} == {"psoas_service", "psoas_reader", "psoas_maintenance"}
