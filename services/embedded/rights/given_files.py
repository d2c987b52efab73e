"""Brings what root alone can read to a service that runs without its rights: settings in files, and the key of TLS."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from services.embedded.home import HomeError
from services.embedded.rights.plan import Rights

SUFFIX = "_FILE"
TLS = ("TLS_CERTIFICATE_FILE", "TLS_KEY_FILE")


def with_readable_files(
    environment: Mapping[str, str], settings: Iterable[str], rights: Rights, folder: Path
) -> dict[str, str]:
    """Return the environment for processes with `rights`.

    Of `settings` whose `_FILE` they cannot read, it has the value; the key and the chain of TLS are copied into the
    private runtime folder, which is removed at the end. Raise HomeError for a file that cannot be read at all.
    """
    files = {
        name: Path(environment[name])
        for name in (*(f"{each}{SUFFIX}" for each in settings), *TLS)
        if environment.get(name)
    }
    readable = rights.readable(files.values())
    changed = dict(environment)
    for name, file in files.items():
        if file in readable:
            continue
        try:
            if name in TLS:
                changed[name] = str(_copied(file, folder / name.lower(), rights))
            else:
                del changed[name]
                changed[name.removesuffix(SUFFIX)] = file.read_text().strip()
        except OSError as error:
            raise HomeError(f"{name}: {file}: {error.strerror}") from None
    return changed


def _copied(file: Path, copy: Path, rights: Rights) -> Path:
    with (
        os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as writer,
        file.open("rb") as reader,
    ):
        os.fchown(writer.fileno(), rights.account.uid, rights.account.gid)
        shutil.copyfileobj(reader, writer)
    return copy
