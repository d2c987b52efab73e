"""Runs the `referrals` command as a person would, on homes and ports of the tests' own."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.program import Program, descendants, program

REFERRALS = Path(sys.executable).parent / "referrals"
START_SECONDS = 100
STOP_SECONDS = 10
ROLES = ("submitter", "department", "operator", "auditor", "admin")
SERVERS = ("postgres", "valkey")
PROCESSES = ("api", "urgent", "routine", "urgent-delivery", "delivery", "watchman")  # what `up` runs beside its servers
RED_FLAG = {
    "patient": {"mrn": "MRN-1", "birth_date": "1980-01-01"},
    "symptoms": {"cannot_lift_leg_supine": "present", "onset": "sudden", "bladder_change": "new_or_worse"},
}


class Up(Program):
    """A `referrals up` that is ready."""

    def __init__(self, running: Program, home: Path) -> None:
        self.__dict__.update(running.__dict__)
        self.home = home
        self.url = self.wait_for(r"^ready(?:, degraded: [a-z, ]+)?: (\S+)", START_SECONDS)[1]

    def keys(self) -> dict[str, str]:
        """Return the keys that the first start prints, by role."""
        return {role: self.wait_for(rf"^ +{role} +(rk_\w+)")[1] for role in ROLES}

    def processes(self) -> dict[str, int]:
        """Return the process id of each service, by its name."""
        (supervisor,) = children(self.process.pid)
        named = ((service_name(pid), pid) for pid in children(supervisor))
        return {name: pid for name, pid in named if name}  # one that ends right now has no name

    def family(self) -> set[int]:
        """Return the process ids of all that belongs to it."""
        return {self.process.pid, *descendants(self.process.pid)}


@contextmanager
def up(home: Path, *arguments: str, command: tuple[str | Path, ...] = (REFERRALS,), **options: Any) -> Iterator[Up]:
    """Yield `referrals up` on `home` and a free port, once it is ready."""
    with program([*command, "up", "--home", home, "--port", "0", *arguments], **options) as running:
        yield Up(running, home)


def referrals(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run([REFERRALS, *arguments], capture_output=True, text=True, timeout=60, check=False, **options)


def request(
    url: str, key: str, body: dict[str, Any] | None = None, more: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Post `body`, or get, with `more` headers; return status and answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Prefer": "wait=10",
        **(more or {}),
    }
    try:
        asked = urllib.request.Request(url, data, headers | (more or {}))  # noqa: S310 - our own service
        with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def service_name(pid: int) -> str | None:
    """Return which service of `up` the process is, by the name that `ps` shows; None if it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text().strip().removesuffix("-server")
    return None
