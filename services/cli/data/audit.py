"""`referrals audit`: finds rows that contradict each other, and verifies the chain of events."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import click
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.cli.admin.keys import home_option
from services.cli.checks.secrets import opens, unreadable_secrets
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.platform.ciphers import identity_cipher, webhook_cipher
from shared.platform.settings import Settings
from shared.store.access import access_log
from shared.store.access.access_log import AccessChain
from shared.store.event_log.chain import Chain, check
from shared.store.event_log.text_audit import text_findings
from shared.store.operations.audit import Found, examples, findings
from shared.store.patients.identity_audit import identity_findings
from shared.store.patients.sealed import external_ids, unreadable
from shared.store.seals.audit import head_findings, seal_findings
from shared.store.seals.chain_heads import heads_in

LONGEST = text("set local statement_timeout = '30min'")  # it reads everything there is
_SINCE = re.compile(r"([0-9]{1,18})(?::([0-9a-f]{64}))?")


class Since(click.ParamType[tuple[int, bytes | None]]):
    """The number of an event, and its digest where it was kept: `1200` or `1200:<64 hex digits>`."""

    name = "NUMBER[:DIGEST]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return number and digest, None where there is none."""
        match = _SINCE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fail("has to be the number of an event, alone or with its digest: 1200:<64 hex digits>", param, ctx)
        return int(match[1]), bytes.fromhex(match[2]) if match[2] else None


@click.command()
@click.option("--since", type=Since(), default="0", help="Where an earlier audit ended; its digest is compared.")
@click.option(
    "--heads",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file of signed heads that was kept elsewhere; by default CHAIN_HEAD_FILE.",
)
@home_option()
@click.option("--json", "as_json", is_flag=True, help="Print an object with `findings`, `examples`, `head`, `broken`.")
def audit(since: tuple[int, bytes | None], heads: Path | None, home: Path | None, as_json: bool) -> None:
    """Audit the whole database and verify the chains. Exits with 1 if there are findings or a chain is broken.

    Ids are shown, never what belongs to a patient. The head in the last line shows later, kept elsewhere and given to
    --since, that no event up to it was changed or removed. With CHAIN_KEY, everything is compared with its seal,
    events, referrals with their forms and decisions, and API keys, and the signed heads are compared with the chains.
    """
    settings = settings_of(home)
    with database(settings.as_reader()) as (_, sessions), sessions.begin() as session:
        session.execute(LONGEST)
        found = findings(session)
        shown = {name: examples(session, name) for name, count in found.items() if count}
        checked: dict[str, Found] = {
            **_unreadable(session, settings),
            **_texts(session, settings),
            **_unfit(session, settings, heads),
        }
        for name, rows in checked.items():
            found[name] = rows.count
            shown |= {name: rows.examples} if rows.count else {}
        chain = check(session, *since, key=settings.chain_key)
        accesses = access_log.check(session)
    lines = _lines(found, shown, chain, accesses)
    click.echo(_as_json(found, shown, chain, accesses) if as_json else "\n".join(lines))
    sys.exit(1 if any(found.values()) or chain.broken is not None or accesses.broken is not None else 0)


def _unreadable(session: Session, settings: Settings) -> dict[str, Found]:
    """Return which intakes' identities and external ids, and which destinations' secrets, do not open or do not fit."""
    cipher = identity_cipher(settings)
    found = identity_findings(session, cipher, [key for key in settings.lookup_keys if key])
    return {
        "identity_unreadable": found.unreadable,
        "identity_misnamed": found.misnamed,
        "external_id_unreadable": unreadable(external_ids(session), lambda each: opens(cipher, each)),
        "secret_unreadable": unreadable_secrets(session, webhook_cipher(settings)),
    }


def _texts(session: Session, settings: Settings) -> dict[str, Found]:
    """Return the events whose words are not those that people wrote."""
    found = text_findings(session, identity_cipher(settings))
    return {"text_altered": found.altered, "text_missing": found.missing, "text_unreadable": found.unreadable}


def _unfit(session: Session, settings: Settings, heads: Path | None) -> dict[str, Found]:
    """Return what does not fit its seal, and which signed heads are not of this database."""
    if settings.chain_key is None:
        return {}
    found = seal_findings(session, settings.chain_key)
    file = heads or settings.chain_head_file
    if file and file.exists():
        with file.open("rb") as lines:
            found["head_unknown"] = head_findings(session, settings.chain_key, heads_in(lines))
    return found


def _as_json(found: dict[str, int], shown: dict[str, list[str]], chain: Chain, accesses: AccessChain) -> str:
    audited = {"findings": found, "examples": shown, **_of_chain(chain), "access": _of_chain(accesses)}
    return json.dumps(audited)


def _of_chain(chain: Chain | AccessChain) -> dict[str, Any]:
    return {"head": {"number": chain.head.number, "digest": chain.head.digest.hex()}, "broken": chain.broken}


def _lines(found: dict[str, int], shown: dict[str, list[str]], chain: Chain, accesses: AccessChain) -> list[str]:
    lines = [f"{name:<26} {count:>6}  {' '.join(shown.get(name, []))}".rstrip() for name, count in found.items()]
    if accesses.broken is not None:
        lines.append(f"{'access chain':<26} broken at record {accesses.broken}")
    else:
        lines.append(f"{'access chain':<26} unbroken up to {accesses.head}")
    if chain.broken is not None:
        return [*lines, f"{'chain':<26} broken at event {chain.broken}"]
    return [*lines, f"{'chain':<26} unbroken up to {chain.head}"]
