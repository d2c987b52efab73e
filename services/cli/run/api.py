"""`referrals api`: this process serves the API."""

import click

from services.api.server import serve
from services.cli.support.settings import settings_or_exit


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
def api(host: str, port: int) -> None:
    """Serve the API in the foreground, with settings from the environment."""
    serve(settings_or_exit(), host, port)
