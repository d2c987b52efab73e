"""`referrals protocol`: looks at protocols before patients are routed by them."""

from pathlib import Path

import click

from shared.protocols import ACTIVE, ProtocolError, load


@click.group()
def protocol() -> None:
    """Look at a protocol."""


@protocol.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=ACTIVE)
def check(folder: Path) -> None:
    """Load a protocol strictly, by default the active one; every fault is named with its place."""
    try:
        checked = load(folder)
    except ProtocolError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{checked.name} {checked.version}: {len(checked.rules)} rules, {checked.digest}")
