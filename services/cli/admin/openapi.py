"""`referrals openapi`: prints or writes the OpenAPI document."""

import json

import click

from services.api.app import create_app
from services.api.openapi.generator import COMMITTED, document
from shared.platform.settings import Settings

# The document depends on no setting and the application connects to nothing before its first request.
NOWHERE = Settings("postgresql://nowhere", "redis://nowhere", identity_keys={"none": bytes(32)}, lookup_key=bytes(32))


@click.command()
@click.option("--write", is_flag=True, help="Write it to the committed file instead of standard output.")
def openapi(write: bool) -> None:
    """Print the OpenAPI document of the API."""
    text = json.dumps(document(create_app(NOWHERE)), indent=1, ensure_ascii=False)
    if write:
        COMMITTED.write_text(f"{text}\n")
    else:
        click.echo(text)
