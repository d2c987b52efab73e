"""Creates the database roles beside the owner, grants them what they may do, and gives them to the logins."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection, make_url, text

from shared.migrations.privileges import MAINTENANCE, READER, ROLES, SERVICE, statements
from shared.platform.settings import Settings

_MAY_CREATE = text("select rolcreaterole or rolsuper from pg_roles where rolname = current_user")
_THERE = text("select rolname from pg_roles where rolname = any(:names)")
_MAY_CHANGE = text(
    "select rolsuper or pg_has_role(current_user, :name, 'MEMBER WITH ADMIN OPTION') "
    "or rolcreaterole and current_setting('server_version_num')::int < 160000 "  # before, it was enough for any role
    "from pg_roles where rolname = current_user"
)


class RolesError(Exception):
    """The roles cannot be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the database that is to have one of our roles."""

    name: str
    password: str | None
    role: str


def logins(settings: Settings) -> list[Login]:
    """Return who is to connect as which role, other than the owner."""
    if not settings.owner_database_url:
        return []
    owner = _user(settings.owner_database_url)
    given = {
        SERVICE: settings.database_url,
        READER: settings.reader_database_url,
        MAINTENANCE: settings.maintenance_database_url,
    }
    found = [Login(*_user_and_password(url), role) for role, url in given.items() if url]
    return [login for login in found if login.name and login.name != owner]


def apply_roles(connection: Connection, wanted: Sequence[Login]) -> None:
    """Make roles and logins that are missing, and grant them what they may do in the present schema.

    Where the present user may not create roles and none was asked for, everything belongs to one user, as before.
    """
    names = {*ROLES, *(login.name for login in wanted)}
    there = set(connection.scalars(_THERE, {"names": list(names)}))
    if missing := sorted(names - there):
        if not connection.scalar(_MAY_CREATE):
            if not wanted:
                return
            raise RolesError(_not_allowed(connection, missing))
        for name in missing:
            _create(connection, name)
    for login in wanted:
        _let_in(connection, login)
    database, everyone = connection.scalar(text("select current_database()")), ", ".join(ROLES)
    connection.exec_driver_sql(f'grant connect on database "{database}" to {everyone}')
    for statement in statements():
        connection.exec_driver_sql(statement)


def _create(connection: Connection, name: str) -> None:
    # Roles belong to the whole server, and another database's migration may be making the same.
    connection.exec_driver_sql(
        _composed(
            connection,
            "do $$ begin create role {name} nologin; "
            "exception when duplicate_object or unique_violation then null; end $$",
            name=sql.Identifier(name),
        )
    )


def _let_in(connection: Connection, login: Login) -> None:
    """Let the login connect with its password, with the rights of its role, where its role is ours to change."""
    if connection.scalar(_MAY_CHANGE, {"name": login.name}):
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - the connection is open
        words = "alter role {name} login"
        given: dict[str, sql.Composable] = {"name": sql.Identifier(login.name)}
        if login.password:  # as SCRAM keeps it: the password itself is in no statement, and so in no log
            kept = driver.pgconn.encrypt_password(login.password.encode(), login.name.encode(), b"scram-sha-256")
            words, given = f"{words} password {{password}}", given | {"password": sql.Literal(kept.decode())}
        connection.exec_driver_sql(_composed(connection, words, **given))
    if login.name != login.role:
        grant = "grant {role} to {name}"
        names = {"role": sql.Identifier(login.role), "name": sql.Identifier(login.name)}
        connection.exec_driver_sql(_composed(connection, grant, **names))


def _composed(connection: Connection, words: str, **parts: sql.Composable) -> str:
    driver = connection.connection.driver_connection
    return sql.SQL(words).format(**parts).as_string(driver)


def _not_allowed(connection: Connection, missing: list[str]) -> str:
    user = connection.scalar(text("select current_user"))
    return (
        f"the database lacks the roles {', '.join(missing)}, and {user} may not create them: "
        f"run `alter role {user} createrole` as a superuser, once"
    )


def _user(url: str) -> str:
    return _user_and_password(url)[0]


def _user_and_password(url: str) -> tuple[str, str | None]:
    given = make_url(url)
    return given.username or "", given.password
