"""`referrals keys wrap`: encrypts data keys, so that the settings open nothing without the key that wrapped them."""

from pathlib import Path
from typing import TextIO

import click

from shared.platform.data_keys.encoding import KeyReader, KeyTextError, wrapped_text
from shared.platform.data_keys.wrapping import AesKeyWrapper
from shared.platform.settings import SettingsError, load_key_wrapper


@click.command()
@click.argument("file", type=click.File(), default="-")
@click.option(
    "--previous",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file with the key-encryption key that wrapped it before.",
)
def wrap(file: TextIO, previous: Path | None) -> None:
    """Print a data key wrapped by KEY_ENCRYPTION_KEY_FILE.

    The key, or the keys with their ids, is read from FILE or standard input.

    What is printed takes the place of the value of IDENTITY_KEYS, LOOKUP_KEY, LOOKUP_KEY_PREVIOUS, WEBHOOK_KEYS or
    CHAIN_KEY; stored data stays as it is.
    """
    try:
        before = AesKeyWrapper(KeyReader().key(previous.read_text().strip())) if previous else None
        click.echo(wrapped_text(file.read().strip(), load_key_wrapper(), before))
    except (SettingsError, KeyTextError) as error:
        raise click.ClickException(str(error)) from None
