"""`referrals protocol`: checks and compares protocols before patients are routed by them."""

from pathlib import Path
from typing import Any

import click

from shared.clinical.protocol import Protocol
from shared.clinical.text_check.measure import measure
from shared.platform.clock import now
from shared.protocols import ACTIVE, ProtocolError, corpus, load


@click.group()
def protocol() -> None:
    """Check a protocol before patients are routed by it."""


@protocol.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=ACTIVE)
def check(folder: Path) -> None:
    """Load a protocol strictly and name every fault. By default that is the active one."""
    try:
        checked = load(folder)
    except ProtocolError as error:
        raise click.ClickException(str(error)) from None
    click.echo(_summary(checked))
    if corpus(folder):
        click.echo(_measured(checked, corpus(folder)))


def _summary(checked: Protocol) -> str:
    return f"{checked.name} {checked.version}: {len(checked.rules)} rules, {checked.digest}"


def _measured(checked: Protocol, texts: list[dict[str, Any]]) -> str:
    """Return how much the free-text check finds of what the labelled texts assert, and what it leaves alone."""
    measured = measure(checked.phrases, texts, today=now().date())
    return (
        f"free text: recall {measured.found}/{measured.asserted}, specificity {measured.left_alone}/{measured.others} "
        f"on {len(texts)} labelled texts"
    )
