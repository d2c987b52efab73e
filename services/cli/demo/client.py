"""Speaks to a running service for `referrals demo`: posts forms and acts on referrals, as programs do."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import click

WAIT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Client:
    """A service's address, and a key for it."""

    url: str
    key: str = field(repr=False)

    def submit(self, form: dict[str, Any]) -> dict[str, Any]:
        """Post a form and wait for its decision; return the intake as answered."""
        return self.post("/v1/intakes", form)

    def act(self, referral_id: str, action: str, body: dict[str, Any]) -> bool:
        """Act on a referral; say whether that was possible, as another may have acted before."""
        try:
            self.post(f"/v1/referrals/{referral_id}/{action}", body)
        except RefusedError:
            return False
        return True

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post `body` and return the answer; raise a message for people where the service refuses or is not there."""
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Prefer": f"wait={WAIT_SECONDS}",
        }
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), headers)  # noqa: S310 - ours
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS + 10) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                detail = f"{self.url} answers {error.code}: {json.load(error).get('detail')}"
            raise (RefusedError if error.code == 409 else click.ClickException)(detail) from None
        except OSError as error:
            raise click.ClickException(f"{self.url} does not answer: {error}") from None


class RefusedError(click.ClickException):
    """The referral is in a state in which the action is not possible."""
