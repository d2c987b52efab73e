"""What `referrals up` prints when everything is ready: the address, the first keys, and a line to try it with."""

import json
import shlex
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from services.cli.admin.first_keys import FACILITY
from services.embedded.own_listener import own_connection
from shared.platform.broker import address

FORM = {
    "patient": {"mrn": "DEMO-1", "birth_date": "1980-01-01"},
    "symptoms": {"cannot_lift_leg_supine": "present", "onset": "sudden", "bladder_change": "new_or_worse"},
}
READINESS_SECONDS = 3  # for the API to say what is degraded; it answers probes already


@dataclass(frozen=True, slots=True)
class StartupMessage:
    """The last lines of a start. `first_keys` is there only if this start has issued the first keys."""

    url: str
    home: Path
    first_keys: Path
    environment: Mapping[str, str] = field(repr=False)

    def text(self) -> str:
        """Return the lines to show, apart from the log; `first_keys` is removed, as keys are shown once."""
        return "\n".join(["", *self._readiness(), *self._keys(), ""])

    def ready_line(self) -> str:
        """Return the line that says that everything is ready, and nothing that opens anything."""
        return self._readiness()[0]

    def _readiness(self) -> list[str]:
        where = f"{self.url}  (API documentation at {self.url}/docs, Ctrl-C stops everything)"
        degraded = degradation(self.url)
        if not degraded:
            return [f"ready: {where}"]
        lines = [f"ready, degraded: {', '.join(degraded)}: {where}"]
        if "broker" in degraded:
            broker = address(_redis_url(self.environment))
            lines.append(
                f"  broker: {broker} (REDIS_URL) does not answer; red flags are routed, other forms wait for it"
            )
        if "storage" in degraded:
            lines.append("  storage: the disk is nearly full, so routine forms are refused, and in the end all")
        return lines

    def _keys(self) -> list[str]:
        issue = f"{shlex.quote(str(Path(sys.argv[0]).absolute()))} keys issue --home {shlex.quote(str(self.home))}"
        command = f"{issue} --role submitter --facility {FACILITY}"
        try:
            keys = json.loads(self.first_keys.read_text())
        except FileNotFoundError:
            return [
                f"console: {self.url}/console  (a key for it: {issue} --role operator)",
                f"another key: {command}",
                "try it:",
                f"  KEY=$({command}) && {curl(self.url, '$KEY')}",
            ]
        self.first_keys.unlink()
        submitter, operator = (_of(keys, role) for role in ("submitter", "operator"))
        return [
            "keys, shown this once:",
            *(f"  {each['role']:<10} {each['key']}  {each['for']}".rstrip() for each in keys),
            f"console: {self.url}/console  (sign in with {operator} and your name)",
            f"another key: {command}",
            "try it:",
            f"  {curl(self.url, submitter)}",
        ]


def _of(keys: list[dict[str, str]], role: str) -> str:
    return next(each["key"] for each in keys if each["role"] == role)


def _redis_url(environment: Mapping[str, str]) -> str:
    return environment.get("REDIS_URL") or Path(environment["REDIS_URL_FILE"]).read_text().strip()


def degradation(url: str) -> list[str]:
    """Return what the service at `url` says is degraded; nothing if it does not answer in time."""
    try:
        with closing(own_connection(url, READINESS_SECONDS)) as connection:
            connection.request("GET", "/health/ready")
            readiness: dict[str, Any] = json.load(connection.getresponse())
    except (OSError, HTTPException, ValueError):
        return []
    return list(readiness.get("degraded", ()))


def curl(url: str, key: str) -> str:
    """Return a line for a shell that posts a form and shows the decision; `key` may be a variable of the shell."""
    headers = ("Content-Type: application/json", "Prefer: wait=5")
    options = " ".join(f"-H {shlex.quote(header)}" for header in headers)
    authorization = f'-H "Authorization: Bearer {key}"'
    return f"curl -sS {authorization} {options} -d {shlex.quote(json.dumps(FORM))} {url}/v1/intakes"
