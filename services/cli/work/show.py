"""`referrals show`: one referral whole, with its reasons and its timeline."""

from typing import Any

import click

from services.cli.work.output import json_option, print_json, print_whole
from services.cli.work.service import Service, with_service


@click.command()
@click.argument("referral", metavar="REF")
@json_option
@with_service
def show(service: Service, *, referral: str, as_json: bool) -> None:
    """Show a referral with its reasons and its timeline. It is named by its reference or id."""
    path = f"/v1/referrals/{service.id_of(referral)}"
    found, events = service.get(path), timeline(service, path)
    if as_json:
        print_json({"referral": found, "events": events})
    else:
        print_whole(found, events)


def timeline(service: Service, path: str) -> list[dict[str, Any]]:
    """Return all events of a referral, oldest first."""
    events: list[dict[str, Any]] = []
    after: int | None = None
    while True:
        page = service.get(f"{path}/events", {"limit": 200} | ({"after": after} if after else {}))
        events += page["events"]
        after = page["next"]
        if after is None:
            return events
