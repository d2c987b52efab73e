"""Seals what was numbered, and writes the signed head of the chains outside the database.

Tasks of the watchman, which alone needs the key of seals for them.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import requests
import structlog
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError

from shared.platform.database import Sessions
from shared.platform.settings import Settings
from shared.store.seals.chain_heads import signed_head
from shared.store.seals.chain_seals import MAX_BATCH, last_seal, seal_next, switch_over
from shared.store.seals.referral_seals import page_of_referrals, seal_referrals

log = structlog.get_logger(__name__)

SEAL_SECONDS = 2.0
MAX_ROUNDS = 5
POST_SECONDS = 5.0
FIRST = UUID(int=0)


@dataclass
class Sealer:
    """Where the sweep before the switch-over is; a watchman that starts anew sweeps from the first referral."""

    sessions: Sessions
    key: bytes = field(repr=False)
    head_file: Path | None = None
    head_url: str = ""
    _after: UUID = FIRST
    _switched: bool = False

    def seal(self) -> None:
        """Seal the next events; before there is a seal, the next referrals that were there before."""
        try:
            if self._is_switched():
                for _ in range(MAX_ROUNDS):
                    with self.sessions.begin() as session:
                        if seal_next(session, self.key) < MAX_BATCH:
                            break
            else:
                self._sweep()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise  # another watchman seals: there is nothing to do

    def write_head(self) -> None:
        """Sign the last seal and write it to the log, the file and the address, those that are set."""
        self.seal()
        with self.sessions() as session:
            last = last_seal(session)
        if last is None:
            return
        head = signed_head(self.key, last)
        log.info("audit.signed_head", head=orjson.dumps(head).decode())
        if self.head_file:
            _append(self.head_file, head)
        if self.head_url:
            _post(self.head_url, head)

    def _is_switched(self) -> bool:
        if not self._switched:
            with self.sessions() as session:
                self._switched = last_seal(session) is not None
        return self._switched

    def _sweep(self) -> None:
        with self.sessions.begin() as session:
            ids = page_of_referrals(session, self._after, MAX_BATCH)
            seal_referrals(session, self.key, ids)
            if len(ids) < MAX_BATCH:
                switch_over(session, self.key)
        self._after = ids[-1] if ids else self._after


def create_sealer(settings: Settings, sessions: Sessions) -> Sealer | None:
    """Return the sealer of a watchman; None, and a warning in the log, where CHAIN_KEY is not set."""
    if settings.chain_key is None:
        log.warning("seals.no_chain_key")
        return None
    return Sealer(sessions, settings.chain_key, settings.chain_head_file, settings.chain_head_url)


def _append(file: Path, head: dict[str, Any]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE))  # one write: lines stay whole
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _post(url: str, head: dict[str, Any]) -> None:
    """Post the head; a failure is logged, and the next hour's head covers what this one would have."""
    try:
        answer = requests.post(url, json=head, timeout=POST_SECONDS, allow_redirects=False)
        failed = None if answer.ok else f"HTTP {answer.status_code}"
    except requests.RequestException as error:
        failed = type(error).__name__
    if failed:
        log.error("audit.head_not_posted", error=failed)
