"""`referrals reroute`: moves a referral to another queue."""

import click

from services.cli.work.output import json_option, print_changed
from services.cli.work.service import Service, with_service
from shared.clinical.referral.lifecycle import QUEUES


@click.command()
@click.argument("referral", metavar="REF")
@click.option("--to", "queue", type=click.Choice(QUEUES), required=True, help="The queue that it goes to.")
@click.option("--reason", help="Why; needed where it leaves `urgent`.")
@click.option("--by", metavar="NAME", help="Who decides that; a person's own key says that by itself.")
@click.option("--confirm", is_flag=True, help="It may leave `urgent`.")
@json_option
@with_service
def reroute(
    service: Service, *, referral: str, queue: str, reason: str | None, by: str | None, confirm: bool, as_json: bool
) -> None:
    """Move a referral to another queue, where it is queued again. It is named by its reference or id."""
    body = {"by": by, "queue": queue, "reason": reason, "confirm": confirm}
    print_changed(service.act(referral, "reroute", body), as_json=as_json)
