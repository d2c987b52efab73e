"""Checks the database for `referrals doctor`: reachable, migrated, clock in step, disk space, and ours."""

from collections.abc import Iterator
from datetime import timedelta

import click
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.cli.checks.findings import Finding, found
from services.cli.checks.secrets import check_secrets, opens, unreadable_secrets
from shared.migrations.head import HEAD, at_head_or_later, version
from shared.monitoring.disk_level import MIB, create_disk_monitor
from shared.platform import clock
from shared.platform.ciphers import identity_cipher, webhook_cipher
from shared.platform.settings import Settings
from shared.store.operations.status_snapshot import database_bytes
from shared.store.patients.sealed import newest_identities, unreadable

MAX_CLOCK_SKEW = timedelta(seconds=2)  # leases and due times go by the database's clock; only a form's day goes by ours
OLDEST_VERSION = 140000
MAX_IDENTITIES = 10_000  # that doctor opens, in a fraction of a second; the audit opens all


def check_server(session: Session) -> Iterator[Finding]:
    """Yield what PostgreSQL is and whether its clock is ours."""
    number, version = session.execute(
        text("select current_setting('server_version_num')::int, current_setting('server_version')")
    ).one()
    yield found("database", number >= OLDEST_VERSION, f"PostgreSQL {version}", "use version 14 or newer")
    before = clock.now()
    theirs = session.scalars(text("select clock_timestamp()")).one()
    apart = abs(theirs - (before + (clock.now() - before) / 2))
    says = f"{apart.total_seconds():.3f} s between this machine and the database"
    yield found("clock", apart <= MAX_CLOCK_SKEW, says, "let both take their time from NTP", otherwise="warn")


def check_schema(session: Session) -> Finding:
    """Return whether the schema is the one that this version needs."""
    found_at = version(session.connection())
    says = "at head" if found_at == HEAD else f"at {found_at or 'no version'}; this version needs {HEAD} or later"
    return found("schema", at_head_or_later(session.connection()), says, "referrals migrate")


def check_storage(session: Session, settings: Settings) -> Finding:
    """Return how large the database is, and whether its disk has free space."""
    disk = create_disk_monitor(settings)
    says = f"{database_bytes(session) / MIB:.0f} MiB"
    if not disk.measures:
        return Finding("storage", "warn", f"{says}, its disk is not watched", "set STORAGE_PATH or DATABASE_MOST_GB")
    disk.look()
    do = "free space on the disk, or raise DATABASE_MOST_GB: forms are refused meanwhile"
    return found("storage", disk.level == "enough", f"{says}, free space: {disk.level}", do)


def check_keys(session: Session, settings: Settings) -> Iterator[Finding]:
    """Yield whether every key that rows need is there, and whether what is sealed opens."""
    try:
        check_secrets(session, settings)
    except click.ClickException as error:
        yield Finding("secrets", "fail", error.message, "put the keys back that wrote this database")
    else:
        yield Finding("secrets", "ok", "every key that rows need is there")
    cipher = identity_cipher(settings)
    newest = newest_identities(session, MAX_IDENTITIES)
    closed = unreadable(newest, lambda each: opens(cipher, each))
    says = (
        f"{closed.count} of the newest {MAX_IDENTITIES} intakes do not open"
        if closed.count
        else "the newest intakes open"
    )
    yield found("identities", not closed.count, says, "referrals audit names them: docs/runbook.md")
    parked = unreadable_secrets(session, webhook_cipher(settings))
    says = (
        f"{parked.count} of the destinations' secrets do not open" if parked.count else "the destinations' secrets open"
    )
    yield found("webhook secrets", not parked.count, says, "referrals destinations set … --new-secret")
