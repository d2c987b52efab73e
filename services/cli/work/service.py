"""Speaks to a running service over HTTP with a key, so that permissions and the access log hold for a terminal, too."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import requests

from services.cli.support.database import database
from services.cli.support.settings import DEFAULT_HOME, settings_of
from services.embedded.home import Home
from services.embedded.run_file import running_in
from shared.clinical.referral.references import BadReferenceError, read_reference
from shared.store.access import keys

TIMEOUT_SECONDS = 20
KEY_LIFETIME = timedelta(hours=1)  # of a key that a killed command could not revoke


@dataclass(frozen=True, slots=True)
class Service:
    """A service's address, and a key for it. With `test` it finds the referrals of test facilities, and only those."""

    url: str
    key: str = field(repr=False)
    test: bool = False

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what a GET answers."""
        return self._call("GET", path, parameters=parameters)

    def post(self, path: str, body: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what a POST of `body` answers."""
        return self._call("POST", path, body=body, parameters=parameters)

    def act(self, named: str, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Act on the referral of that reference or id; return it as it is afterwards."""
        given = {name: value for name, value in body.items() if value not in (None, False)}
        return self.post(f"/v1/referrals/{self.id_of(named)}/{action}", given)

    def id_of(self, named: str) -> str:
        """Return the id of the referral that a reference or an id names."""
        try:
            return str(UUID(named))
        except ValueError:
            pass
        try:
            reference = read_reference(named)
        except BadReferenceError:
            raise click.ClickException("that is no reference as R-7K3M-9Q4M, and no id: check what was typed") from None
        for referral in self.find({"reference": reference}):
            if referral["reference"] == reference:
                return str(referral["id"])
        raise click.ClickException(f"there is no referral {reference} that this key may see")

    def find(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the referrals of a reference, an external id or a record number."""
        found: list[dict[str, Any]] = []
        parameters = self.parameters(limit=200)
        while True:
            page = self.post("/v1/referrals/search", wanted, parameters)
            found += page["referrals"]
            if page["next"] is None:
                return found
            parameters["cursor"] = page["next"]

    def parameters(self, **wanted: Any) -> dict[str, Any]:
        """Return the parameters of a list: those that are given, and `test` where it is asked for."""
        given = {name: value for name, value in wanted.items() if value is not None}
        return given | ({"test": "true"} if self.test else {})

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            answer = requests.request(
                method, f"{self.url}{path}", json=body, params=parameters, headers=headers, timeout=TIMEOUT_SECONDS
            )
            content: dict[str, Any] = answer.json()
        except requests.exceptions.JSONDecodeError:
            raise click.ClickException(f"{self.url} answers {answer.status_code}, and no JSON") from None
        except requests.RequestException as error:
            raise click.ClickException(f"{self.url} does not answer: {type(error).__name__}") from None
        if not answer.ok:
            raise click.ClickException(refusal(content))
        return content


def refusal(problem: Mapping[str, Any]) -> str:
    """Return what a problem says, with a line for each of its errors."""
    errors = (f"{each['pointer'] or 'the whole'}: {each['detail']}" for each in problem.get("errors", ()))
    return "\n  ".join([f"{problem.get('status')}: {problem.get('detail')}", *errors])


def with_service(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which service it speaks to, and the service as its first argument."""

    @click.option("--url", envvar="REFERRALS_URL", help="Where the service answers; by default where --home does.")
    @click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="The home of a running `up`.")
    @click.option("--test", is_flag=True, help="Among the referrals of test facilities, which are seen nowhere else.")
    @wraps(command)
    def called(*, url: str | None, home: Path | None, test: bool, **options: Any) -> None:
        with service(url, home, test=test) as opened:
            command(opened, **options)

    return called


@contextmanager
def service(url: str | None, home: Path | None, *, test: bool = False) -> Iterator[Service]:
    """Yield the service, with the key in REFERRALS_KEY, or an operator's that is revoked afterwards.

    A key never stands among the arguments of a command, where every account of the computer could read it.
    """
    url = url or running_in(Home((home or DEFAULT_HOME).resolve())).url
    if key := os.environ.get("REFERRALS_KEY"):
        yield Service(url.rstrip("/"), key, test)
        return
    with database(settings_of(home)) as (_, sessions):
        with sessions.begin() as session:
            key_id, key = keys.issue(session, role="operator", lifetime=KEY_LIFETIME, label="a terminal")
        try:
            yield Service(url.rstrip("/"), key, test)
        finally:
            with sessions.begin() as session:
                keys.revoke(session, key_id)
