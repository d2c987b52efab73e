"""Checks that the secrets of a deployment open its database: every key, not the newest alone."""

from collections.abc import Sequence

import click
import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.platform.ciphers import identity_cipher, webhook_cipher
from shared.platform.crypto import IdentityCipher, UnreadableIdentityError, key_id_of
from shared.platform.settings import Settings
from shared.store.operations.audit import Found
from shared.store.patients.record_numbers import mrn_hashes
from shared.store.patients.sealed import Sealed, samples, secrets, unreadable
from shared.tables import Intake


def check_secrets(session: Session, settings: Settings) -> None:
    """Refuse to go on without a key that rows still need, with other bytes under its id, or another LOOKUP_KEY.

    A row that is damaged by itself is no reason: it is a finding of `referrals audit`.
    """
    identities = identity_cipher(settings)
    ciphers = {"destinations": webhook_cipher(settings)}
    missing: dict[str, str] = {}
    recognised: list[bool] = []
    for sealed in samples(session):
        cipher = ciphers.get(sealed[0].table, identities)
        opened = [each for each in sealed if opens(cipher, each)]
        if opened:
            recognised += _recognised(session, settings, cipher, opened)
            continue
        for each in sealed:
            name = key_id_of(each.value)
            altered = len(sealed) == 1 and cipher.opens_under_other_id(each.value, row=each.row)
            if name is None or altered:
                continue  # one row is damaged, which says nothing of the keys; more of one id mean a renamed key
            if name not in {**settings.identity_keys, **(settings.webhook_keys if cipher is not identities else {})}:
                missing[name] = each.table
            elif each.is_identity:
                raise click.ClickException(
                    "IDENTITY_KEYS do not open the identities in this database: "
                    f"under the id {name!r} there is another key than the one that sealed them; set the right one"
                )
    if missing:
        needed = ", ".join(f"{name!r} ({table})" for name, table in sorted(missing.items()))
        raise click.ClickException(f"IDENTITY_KEYS lack keys that rows of this database still need: {needed}")
    if recognised and not any(recognised):
        raise click.ClickException("LOOKUP_KEY is not the one by which this database knows repeats: set the right one")


def opens(cipher: IdentityCipher, sealed: Sealed) -> bool:
    """Say whether a sealed value can be read."""
    try:
        cipher.open(sealed.value, row=sealed.row)
    except UnreadableIdentityError:
        return False
    return True


def unreadable_secrets(session: Session, cipher: IdentityCipher) -> Found:
    """Return which destinations' secrets do not open: what is due to them is parked."""
    return unreadable(secrets(session), lambda each: opens(cipher, each))


def _recognised(session: Session, settings: Settings, cipher: IdentityCipher, opened: Sequence[Sealed]) -> list[bool]:
    """Return, for each identity of an intake, whether its record number has the hash that is stored beside it."""
    own = {each.id: each for each in opened if each.is_identity}
    columns = (Intake.id, Intake.facility, Intake.mrn_hash)
    found = session.execute(select(*columns).where(Intake.id.in_(own))).all() if own else []
    numbers = {key: orjson.loads(cipher.open(each.value, row=each.row))["mrn"] for key, each in own.items()}
    return [
        any(mrn_hashes(key, row.facility, numbers[row.id]).as_typed == row.mrn_hash for key in settings.lookup_keys)
        for row in found
    ]
