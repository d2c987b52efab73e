"""`referrals return`: sends a referral back to the referrer with advice."""

import click

from services.cli.work.output import json_option, print_changed
from services.cli.work.service import Service, with_service


@click.command("return")
@click.argument("referral", metavar="REF")
@click.option("--reason", required=True, help="The advice, which the referrer reads.")
@click.option("--by", metavar="NAME", help="Who returns it; a person's own key says that by itself.")
@click.option("--confirm", is_flag=True, help="It may leave `urgent`.")
@json_option
@with_service
def return_referral(
    service: Service, *, referral: str, reason: str, by: str | None, confirm: bool, as_json: bool
) -> None:
    """Return a referral to the referrer with advice, --reason. It is named by its reference or id."""
    body = {"by": by, "reason": reason, "confirm": confirm}
    print_changed(service.act(referral, "return", body), as_json=as_json)
