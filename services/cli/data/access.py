"""`referrals access`: the access log, for systems that collect such logs."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import text

from services.cli.admin.keys import home_option
from services.cli.data.audit_event import audit_events
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.store.access.access_log import number_records
from shared.store.access.access_search import walk

BATCH = 500
UNLIMITED = text("set local statement_timeout = '30min'")
TIME = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"])


@click.group()
def access() -> None:
    """Export the access log: who looked at whose data."""


@access.command()
@click.option("--since", type=TIME, help="From this day or moment on (2026-11-29, 2026-11-29T08:00:00+00:00), in UTC.")
@click.option("--until", type=TIME, help="Before this day or moment.")
@home_option()
def export(since: datetime | None, until: datetime | None, home: Path | None) -> None:
    """Print the access log as NDJSON of FHIR R4 AuditEvent.

    It is in the shape of IHE BALP, one for each patient of an answer.

    Patients stand in it as keyed hashes, never by name or number.
    """
    with database(settings_of(home)) as (_, sessions):
        number_records(sessions)
        with sessions.begin() as session:
            session.execute(UNLIMITED)
            for record in walk(session, since=_in_utc(since), until=_in_utc(until), batch=BATCH):
                for event in audit_events(record):
                    click.echo(json.dumps(event, separators=(",", ":")))


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
