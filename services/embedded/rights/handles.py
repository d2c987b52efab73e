"""Opens what processes without root's rights work on, so that they reach it though its folder is closed to them.

A path under /proc/self/fd leads to what is open there, wherever it is: nobody has to walk to it, no folder above is
opened to anybody, and the home itself stays root's. What is opened is kept open by the supervisor and by all its forks.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from services.embedded.home import HomeError
from services.embedded.supervisor.service import Account


@dataclass(frozen=True, slots=True)
class Handles:
    """The files that are kept open; without an account nothing is opened, and every path stays as it is."""

    account: Account | None
    descriptors: list[int] = field(default_factory=list)

    def folder(self, path: Path) -> Path:
        """Return a path that leads into the folder at `path`, which is the account's."""
        return self._kept(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)) if self.account else path

    def file(self, path: Path) -> Path:
        """Return a path that leads to the file at `path`, made where there is none, and handed to the account."""
        if self.account is None:
            return path
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        found = os.fstat(descriptor)
        # In a folder of the account's own the name may lead to what is none of its own.
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid not in (0, self.account.uid):
            os.close(descriptor)
            raise HomeError(f"{path} is no file of this home: move it away")
        os.fchown(descriptor, self.account.uid, self.account.gid)
        return self._kept(descriptor)

    def _kept(self, descriptor: int) -> Path:
        self.descriptors.append(descriptor)
        return Path(f"/proc/self/fd/{descriptor}")
