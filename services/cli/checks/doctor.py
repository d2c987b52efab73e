"""`referrals doctor`: checks everything the service needs; prints what is wrong and what to do."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from services.cli.admin.keys import home_option
from services.cli.checks.api_keys import check_api_keys
from services.cli.checks.broker import check_broker
from services.cli.checks.database import check_keys, check_schema, check_server, check_storage
from services.cli.checks.findings import Finding
from services.cli.checks.work import check_consistency, check_destinations, check_protocol, check_work
from services.cli.support.settings import DEFAULT_HOME, settings_of
from services.embedded.home import Home
from services.embedded.home_secrets import METRICS_TOKEN
from shared.platform.database import create_engine, create_sessions
from shared.platform.settings import Settings
from shared.protocols import ProtocolError, active
from shared.store.operations.status_snapshot import status_snapshot


@click.command()
@home_option()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects: check, state, says, do.")
def doctor(home: Path | None, as_json: bool) -> None:
    """Check everything the service needs, and say what to do. Exits with 1 if something is to be put right."""
    findings = list(examine(home))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            click.echo(line(finding))
    sys.exit(any(finding.state == "fail" for finding in findings))


def examine(home: Path | None) -> Iterator[Finding]:
    """Yield what every check finds; those that need what is unavailable are left out."""
    try:
        settings = settings_of(home)
    except click.ClickException as error:
        yield Finding("settings", "fail", error.message, "set what is missing")
        return
    yield Finding("settings", "ok", "complete")
    yield check_metrics(settings, Home((home or DEFAULT_HOME).resolve()))
    yield check_broker(settings)
    try:
        yield check_protocol(active())
    except ProtocolError:
        yield Finding("protocol", "fail", "it is not what was released", "referrals protocol check")
        return
    yield from _with_database(settings)


def check_metrics(settings: Settings, home: Home) -> Finding:
    """Say where the token is that opens the API's `/metrics`."""
    if not settings.metrics_token:
        return Finding("metrics", "warn", "METRICS_TOKEN is not set, so /metrics answers 401", "set METRICS_TOKEN")
    file = home.secrets / METRICS_TOKEN
    own = file.is_file() and file.read_text().strip() == settings.metrics_token
    return Finding("metrics", "ok", f"its token is in {file}" if own else "its token is METRICS_TOKEN")


def line(finding: Finding) -> str:
    """Return the line of a finding: state, check, what was found, what to do."""
    said = f"{finding.state:<4}  {finding.check:<30}  {finding.says}"
    return f"{said}  ->  {finding.do}" if finding.do else said


def _with_database(settings: Settings) -> Iterator[Finding]:
    engine = create_engine(settings, pool_size=1)
    try:
        with create_sessions(engine)() as session:
            yield from check_server(session)
            schema = check_schema(session)
            yield schema
            if schema.state == "fail":
                return
            yield check_storage(session, settings)
            yield from check_keys(session, settings)
            yield from check_api_keys(session)
            now = status_snapshot(session)
            yield from check_work(now)
            yield from check_consistency(session, now)
            yield from check_destinations(session, active())
    except (SQLAlchemyError, OSError) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        yield Finding("database", "fail", f"does not answer ({kind})", "start PostgreSQL, or see DATABASE_URL")
    finally:
        engine.dispose()
