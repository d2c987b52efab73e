"""`referrals keys rotate-identity` and `rotate-lookup`: turn the keys of stored data while the service goes on."""

from pathlib import Path

import click

from services.cli.admin.keys import home_option
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.platform.ciphers import identity_cipher, webhook_cipher
from shared.store.rotation.external_ids import seal_external_ids
from shared.store.rotation.identity_keys import ciphers_of, reseal
from shared.store.rotation.lookup_key import LookupKeys, rehash


@click.command()
@home_option()
def rotate_identity(home: Path | None) -> None:
    """Seal everything anew with the newest keys.

    Those are the first of IDENTITY_KEYS, and for webhook secrets the first of WEBHOOK_KEYS.

    External ids that a release before wrote in the clear are sealed, too, unless SEALING_FORMAT is 1.

    Put the new key in front, restart every process, then run this; once it ends with 0 that do not open, the old key
    can go. It can be stopped at any time and run again.
    """
    settings = settings_of(home, without=("REDIS_URL",))
    cipher = identity_cipher(settings)
    closed = left = doubled = 0
    with database(settings.as_maintenance()) as (_, sessions):
        for column, each in ciphers_of(cipher, webhook_cipher(settings)).items():
            done = reseal(sessions, column, each)
            closed, left = closed + done.closed, left + done.left
            click.echo(
                f"{column.table}.{column.name}: {done.changed} sealed anew, {done.left} in use, "
                f"{done.closed} do not open"
            )
        if cipher.is_bound:
            done = seal_external_ids(sessions, cipher, settings.lookup_key)
            left, doubled = left + done.left, done.closed
            click.echo(f"intakes.external_id: {done.changed} sealed, {done.left} in use, {done.closed} twice")
    if left:
        raise click.ClickException(f"{left} values are locked by other transactions: run this again")
    if closed:
        raise click.ClickException(f"{closed} values do not open with these keys: keep the old ones")
    if doubled:
        raise click.ClickException(f"{doubled} external ids name two intakes of their facility: they were left")


@click.command()
@home_option()
def rotate_lookup(home: Path | None) -> None:
    """Hash everything that is looked up anew with LOOKUP_KEY.

    That is record numbers, birth dates and external ids which LOOKUP_KEY_PREVIOUS hashed.

    Set both, restart every process, then run this. While both are set, look-ups try both. It can be stopped at any time
    and run again.
    """
    settings = settings_of(home, without=("REDIS_URL",))
    if settings.previous_lookup_key is None:
        raise click.ClickException("set LOOKUP_KEY_PREVIOUS to the key that hashed what is stored")
    keys = LookupKeys(settings.lookup_key, settings.previous_lookup_key)
    with database(settings.as_maintenance()) as (_, sessions):
        done = rehash(sessions, identity_cipher(settings), keys)
    click.echo(f"intakes: {done.changed} hashed anew, {done.left} in use, {done.closed} that these keys do not fit")
    if done.left:
        raise click.ClickException(f"{done.left} rows are locked by other transactions: run this again")
    if done.closed:
        raise click.ClickException(f"{done.closed} identities do not open or were hashed with neither key")
