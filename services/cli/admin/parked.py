"""`referrals parked`: lists parked (dead-lettered) deliveries, retries or discards them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from services.cli.admin.keys import home_option
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.platform.ciphers import identity_cipher
from shared.store.delivery import parked as store
from shared.store.delivery.parked import DeliveryPosition, Seen

PAGE = 500


@click.group()
def parked() -> None:
    """List, retry and discard parked (dead-lettered) deliveries."""


@parked.command(name="list")
@click.option("--destination", "destination_id", type=click.UUID, help="Only those to this destination.")
@home_option()
@click.option("--json", "as_json", is_flag=True, help="Print an object a line.")
def list_(destination_id: UUID | None, home: Path | None, as_json: bool) -> None:
    """List parked deliveries, the oldest first. Each has its event, its destination, and why it did not arrive."""
    with database(settings_of(home)) as (_, sessions), sessions() as session:
        after = None
        while found := store.page(session, "parked", limit=PAGE, after=after, destination_id=destination_id):
            for seen in found:
                click.echo(json.dumps(record(seen)) if as_json else described(seen))
            after = DeliveryPosition(found[-1].delivery.created_at, found[-1].delivery.id)


@parked.command()
@click.argument("delivery_ids", metavar="ID...", nargs=-1, type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="Everything that is parked.")
@click.option("--destination", "destination_id", type=click.UUID, help="With --all: only what is parked to it.")
@home_option()
def retry(delivery_ids: Sequence[UUID], everything: bool, destination_id: UUID | None, home: Path | None) -> None:
    """Retry parked deliveries now. The ids stay the same, and a disabled destination is served again.

    What is not parked, or whose destination is removed, is left as it is.
    """
    if everything == bool(delivery_ids):
        raise click.UsageError("name deliveries by their ids, or take --all")
    if destination_id and not everything:
        raise click.UsageError("--destination goes with --all")
    count = 0
    with database(settings_of(home)) as (_, sessions):
        while True:
            with sessions.begin() as session:
                wanted = delivery_ids or store.ids(session, destination_id=destination_id)
                due = store.retry(session, wanted)
            count += len(due)
            if delivery_ids or not due:
                break
    click.echo(f"{count} deliveries are due again")


@parked.command()
@click.argument("delivery_ids", metavar="ID...", nargs=-1, type=click.UUID, required=True)
@click.option("--by", required=True, help="The named person who decides.")
@click.option("--reason", required=True, help="Why it need not arrive; it stays in the referral's timeline.")
@home_option()
def discard(delivery_ids: Sequence[UUID], by: str, reason: str, home: Path | None) -> None:
    """Discard parked deliveries for good."""
    if not by.strip() or not reason.strip():
        raise click.UsageError("--by and --reason have to say something")
    settings = settings_of(home)
    with database(settings) as (_, sessions), sessions.begin() as session:
        count = store.discard(session, delivery_ids, by=by, reason=reason, cipher=identity_cipher(settings))
    click.echo(f"{count} deliveries are discarded")


def described(seen: Seen) -> str:
    """Return a line about a delivery: id, since when, why, after how many attempts, what of, and where it should go."""
    delivery, destination = seen.delivery, seen.destination
    event = f"{delivery.payload['type']} {delivery.referral_id}"
    why = f"{delivery.error} after {delivery.attempts} attempts"
    return f"{delivery.id}  {delivery.created_at:%Y-%m-%d %H:%M}  {why}  {event}  {destination.queue} {destination.url}"


def record(seen: Seen) -> dict[str, Any]:
    """Return the same for a program."""
    delivery, destination = seen.delivery, seen.destination
    return {
        "id": str(delivery.id),
        "destination": {"id": str(destination.id), "queue": destination.queue, "url": destination.url},
        "referral_id": str(delivery.referral_id),
        "event": delivery.payload["type"],
        "error": delivery.error,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at.isoformat(),
    }
