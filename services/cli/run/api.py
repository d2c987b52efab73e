"""`referrals api`: this process serves the API."""

import click

from services.api.server import serve
from services.cli.support.settings import settings_or_exit
from shared.platform.transport.listener import PlainHttpError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--insecure", is_flag=True, help="Speak plain HTTP to other machines: a proxy in front ends TLS.")
def api(host: str, port: int, *, insecure: bool) -> None:
    """Run the API, with settings from the environment.

    TLS_CERTIFICATE_FILE and TLS_KEY_FILE make it speak TLS; without them it stays on loopback.
    """
    try:
        serve(settings_or_exit(), host, port, insecure=insecure)
    except PlainHttpError as error:
        raise click.ClickException(str(error)) from None
