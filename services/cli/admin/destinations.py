"""`referrals destinations`: adds, lists and changes webhook destinations. There is no other place to do so."""

import json
from pathlib import Path
from uuid import UUID

import click
from uuid_utils.compat import uuid7

from services.cli.admin.destination_url import check_url
from services.cli.admin.keys import home_option, known_facility
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from services.worker.delivery.sender import Sender, WebhookResponse
from services.worker.delivery.webhook import body_of, headers_of
from shared.clinical.referral.lifecycle import QUEUES
from shared.platform import clock
from shared.platform.ciphers import webhook_cipher
from shared.platform.crypto import UnreadableIdentityError
from shared.platform.database import Sessions
from shared.store.delivery import destinations as store
from shared.store.delivery.deliveries import park_undeliverable
from shared.store.delivery.destinations import Place
from shared.tables import Destination


@click.group()
def destinations() -> None:
    """Add, list, test and remove webhook destinations.

    A destination is the own system of a department or a facility, which gets its referrals as webhooks.
    """


@destinations.command(name="set")
@click.argument("queues", metavar="[QUEUE]", nargs=-1, type=click.Choice(QUEUES))
@click.argument("url")
@click.option("--facility", help="Of this facility alone; without a QUEUE, its own system.")
@click.option("--escalation", "level", type=click.IntRange(0, 9), default=0, help="Call it at this rung of the ladder.")
@click.option("--insecure", is_flag=True, help="Accept http:// and send in the clear.")
@click.option("--new-secret", is_flag=True, help="Replace the secret of a destination that is there already.")
@home_option()
@click.option("--json", "as_json", is_flag=True, help="Print an object with `id` and `secret`.")
def set_(
    queues: tuple[str, ...],
    url: str,
    facility: str | None,
    level: int,
    insecure: bool,
    new_secret: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Add or change a destination; print its id and, once, its secret.

    What happens in QUEUE, or to a facility's referrals, is sent to URL.

    One that is there already is served again, as after `410 Gone`, and keeps its secret.
    """
    check_url(url, insecure=insecure)
    if len(queues) > 1:
        raise click.UsageError("a destination hears of one queue, or of a facility's referrals in all")
    queue = queues[0] if queues else None
    if queue is None and (facility is None or level):
        raise click.UsageError("without a queue it is a facility's own system: name --facility, and no --escalation")
    settings = settings_of(home, without=("LOOKUP_KEY",))
    with database(settings) as (_, sessions), sessions.begin() as session:
        known_facility(session, facility)
        place = Place(queue, facility, level, url)
        destination_id, secret = store.put(session, place, webhook_cipher(settings), new_secret=new_secret)
    if as_json:
        click.echo(json.dumps({"id": str(destination_id), "secret": secret}))
    else:
        click.echo(f"{destination_id}  {secret or 'keeps its secret'}")


@destinations.command(name="list")
@home_option()
def list_(home: Path | None) -> None:
    """List the destinations and how much waits for each."""
    with database(settings_of(home, without=("LOOKUP_KEY",))) as (_, sessions), sessions() as session:
        for destination, due, parked in store.list_all(session):
            click.echo(described(destination, due, parked))


@destinations.command()
@click.argument("destination_id", metavar="ID", type=click.UUID)
@home_option()
def remove(destination_id: UUID, home: Path | None) -> None:
    """Remove a destination. What was still due to it is parked, for a person to discard."""
    with database(settings_of(home, without=("LOOKUP_KEY",))) as (_, sessions):
        with sessions.begin() as session:
            if not store.remove(session, destination_id):
                raise click.ClickException(f"there is no destination {destination_id}")
        parked = 0
        while count := _park_some(sessions):
            parked += count
    click.echo(f"removed {destination_id}; {parked} deliveries to it are parked")


@destinations.command()
@click.argument("destination_id", metavar="ID", type=click.UUID)
@home_option()
def test(destination_id: UUID, home: Path | None) -> None:
    """Send a signed `psoas.test` now and print the response. It is sent from this machine, and nothing is stored."""
    settings = settings_of(home, without=("LOOKUP_KEY",))
    with database(settings) as (_, sessions), sessions() as session:
        destination = store.find(session, destination_id)
    if destination is None:
        raise click.ClickException(f"there is no destination {destination_id}")
    try:
        secret = store.secret_of(webhook_cipher(settings), destination.id, destination.secret)
    except UnreadableIdentityError:
        raise click.ClickException(
            "the secret of this destination does not open: set it again with --new-secret"
        ) from None
    answer = send_test(destination.url, secret, loopback=settings.destinations_allow_loopback)
    said = answer.error or f"answers {answer.status}"
    click.echo(f"{said} after {answer.duration_ms} ms")
    if answer.status is None or not 200 <= answer.status < 300:
        raise click.exceptions.Exit(1)


def _park_some(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return park_undeliverable(session)


def send_test(url: str, secret: str, *, loopback: bool) -> WebhookResponse:
    """Send a webhook that tells of nothing; return what came of it."""
    now = clock.now()
    body = body_of({"type": "psoas.test", "timestamp": now.isoformat().replace("+00:00", "Z"), "data": {}})
    return Sender(loopback=loopback).post(url, headers_of(str(uuid7()), body, secret, now), body)


def described(destination: Destination, due: int, parked: int) -> str:
    """Return a line about a destination: id, state, queue and rung, whose referrals, what waits, and where it is."""
    heard = (destination.queue or "-") + (f"+{destination.escalation_level}" if destination.escalation_level else "")
    state = "failing" if destination.status == "active" and destination.failures else destination.status
    whose, waits = destination.facility or "all", f"{due} due, {parked} parked"
    return f"{destination.id}  {state:<8}  {heard:<17}  {whose:<16}  {waits:<20}  {destination.url}"
