"""`referrals demo`: posts the protocol's worked cases to a running service, and prints where each one went."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from services.api.openapi.examples import form_of
from services.cli.admin.first_keys import FACILITY
from services.cli.support.database import database
from services.cli.support.settings import DEFAULT_HOME, settings_of
from services.embedded.home import Home
from services.embedded.run_file import running_in
from shared.protocols import ACTIVE, cases
from shared.store.access import facilities, keys

WAIT_SECONDS = 10
ROW = "{:<6} {:<16} {:<10} {}"


@click.command()
@click.option("--url", help="Where the service answers; by default where the one in --home does.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="The home of a running `referrals up`.")
@click.option(
    "--key", envvar="REFERRALS_KEY", help="A submitter's key; without it one is issued, and revoked afterwards."
)
def demo(url: str | None, home: Path | None, key: str | None) -> None:
    """Post the worked cases, and print a table: case, queue, priority, why. A second time adds nothing new."""
    url = url or running_in(Home((home or DEFAULT_HOME).resolve())).url
    with submitter_key(home, key) as usable:
        click.echo(ROW.format("case", "queue", "priority", "why"))
        for case in cases(ACTIVE):
            click.echo(row(case["id"], post(url, usable, form_of(case, external_id=f"demo-{case['id']}"))))


@contextmanager
def submitter_key(home: Path | None, key: str | None) -> Iterator[str]:
    """Yield `key`, or one that lives as long as it is needed."""
    if key:
        yield key
        return
    with database(settings_of(home)) as (_, sessions):
        with sessions.begin() as session:
            facilities.register(session, FACILITY)
            key_id, issued = keys.issue(session, role="submitter", facility=FACILITY)
        try:
            yield issued
        finally:
            with sessions.begin() as session:
                keys.revoke(session, key_id)


def post(url: str, key: str, form: dict[str, Any]) -> dict[str, Any]:
    """Post a form and wait for its decision; return the intake as answered."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Prefer": f"wait={WAIT_SECONDS}",
    }
    request = urllib.request.Request(f"{url}/v1/intakes", json.dumps(form).encode(), headers)  # noqa: S310 - the caller's
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS + 10) as answer:  # noqa: S310
            intake: dict[str, Any] = json.load(answer)
            return intake
    except urllib.error.HTTPError as error:
        with error:
            raise click.ClickException(f"{url} answers {error.code}: {json.load(error).get('detail')}") from None
    except OSError as error:
        raise click.ClickException(f"{url} does not answer: {error}") from None


def row(case: str, intake: dict[str, Any]) -> str:
    """Return the line of the table for a posted case."""
    decision = intake.get("decision")
    if not decision:
        return ROW.format(case, "-", "-", "not triaged yet")
    return ROW.format(case, decision["queue"], decision["priority"], decision["headline"])
