"""The secrets that a home makes at its first start and never again: without them its data cannot be read."""

import base64
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from services.embedded.home import Home, HomeError
from shared.platform.data_keys.encoding import KEY_BYTES

NAMES = ("identity_keys", "lookup_key", "database_password")
# Files' names. Homes of earlier releases lack these, and get them at the next start.
METRICS_TOKEN, SERVICE_PASSWORD, CHAIN_KEY = "metrics_token", "service_password", "chain_key"
OPTIONAL = ("lookup_key_previous", "webhook_keys")  # put there by who turns the keys


def home_secrets(home: Home) -> dict[str, str]:
    """Return the home's secrets by name, made if the home is new; raise HomeError if one of an older home is gone."""
    if not home.secrets.exists() or not any(home.secrets.iterdir()):
        if home.postgres.exists():
            raise HomeError(_gone(home.secrets))
        keep_secrets(home, identity_keys=f"k1:{_key()}", lookup_key=_key())
    kept = {name: _read(home.secrets / name) for name in NAMES}
    later = {METRICS_TOKEN: _password, SERVICE_PASSWORD: _password, CHAIN_KEY: _key}
    kept |= {name: _read(home.secrets / name) for name in OPTIONAL if (home.secrets / name).exists()}
    return kept | {name: _kept_or_made(home.secrets / name, made) for name, made in later.items()}


def keep_secrets(home: Home, *, identity_keys: str, lookup_key: str, **others: str) -> None:
    """Keep these in a home that has none yet, with a new password for its database; `others` by their files' names."""
    # Built beside and moved, so that a start that was interrupted leaves all of them or none.
    building = home.secrets.with_name(f"{home.secrets.name}.new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700, parents=True)
    values = (identity_keys, lookup_key, _password())
    for name, value in zip(NAMES, values, strict=True):
        _write(building / name, value)
    for name, value in others.items():
        _write(building / name, value)
    building.rename(home.secrets)


def _kept_or_made(file: Path, made: Callable[[], str]) -> str:
    """Return the secret in `file`, which is made where there is none."""
    if not file.exists():
        building = file.with_suffix(".new")
        building.unlink(missing_ok=True)
        _write(building, made())
        building.rename(file)
    return _read(file)


def _write(file: Path, value: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as writer:
        writer.write(f"{value}\n")
        writer.flush()
        os.fsync(descriptor)


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        raise HomeError(_gone(file)) from None


def _gone(path: Path) -> str:
    return f"{path} is gone, and the data in this home cannot be read without it: put it back, or choose another --home"


def _password() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
