"""`referrals acknowledge`: a named person takes a referral."""

import click

from services.cli.work.output import json_option, print_changed
from services.cli.work.service import Service, with_service


@click.command()
@click.argument("referral", metavar="REF")
@click.option("--by", metavar="NAME", help="Who takes it; a person's own key says that by itself.")
@click.option("--note", help="For those who read its timeline.")
@json_option
@with_service
def acknowledge(service: Service, *, referral: str, by: str | None, note: str | None, as_json: bool) -> None:
    """Acknowledge a referral, named by its reference or id. This person has it now."""
    print_changed(service.act(referral, "acknowledge", {"by": by, "note": note}), as_json=as_json)
