"""`referrals list`: the referrals of all queues that a key sees, most pressing first."""

from typing import Any

import click

from services.cli.work.output import json_option, print_json, print_table
from services.cli.work.service import Service, with_service
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES, STATUSES


@click.command("list")
@click.option("--queue", type=click.Choice(QUEUES))
@click.option("--priority", type=click.Choice(PRIORITIES))
@click.option("--status", type=click.Choice(("open", "all", *STATUSES)), default="open", show_default=True)
@click.option("--overdue", is_flag=True, help="Those that nobody has acknowledged in time.")
@click.option("--contact-overdue", is_flag=True, help="Those whose call-back nobody has made in time.")
@click.option("--facility", help="Those of one facility.")
@click.option("--acknowledged-by", metavar="NAME", help="Those that this person has.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@with_service
def list_referrals(
    service: Service, *, limit: int, overdue: bool, contact_overdue: bool, as_json: bool, **wanted: Any
) -> None:
    """List referrals, most pressing first. The key is in REFERRALS_KEY, or that of a running `up` is made for it."""
    late = {"overdue": "true" if overdue else None, "contact_overdue": "true" if contact_overdue else None}
    parameters = service.parameters(**wanted, **late)
    referrals: list[dict[str, Any]] = []
    after: str | None = None
    while len(referrals) < limit:
        page = service.get("/v1/referrals", parameters | {"limit": min(200, limit - len(referrals))})
        referrals += page["referrals"]
        after = page["next"]
        if after is None:
            break
        parameters["cursor"] = after
    if as_json:
        print_json({"referrals": referrals, "next": after})
        return
    print_table(referrals)
    if after:
        click.echo(f"there are more than {limit}: ask with --limit", err=True)
