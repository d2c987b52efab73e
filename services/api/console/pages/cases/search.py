"""Search by a reference, the hospital's own id or a record number: posted, so that no address says who was meant."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from services.api.access.recording import record_access
from services.api.console.blueprint import blueprint
from services.api.console.rows import Row, row
from services.api.context import current_context
from services.api.http.auth import READERS, allow, scope
from services.api.schemas import serializers
from shared.clinical.referral.references import BadReferenceError, read_reference
from shared.store.lists.search import Wanted, search
from shared.store.referrals import StoredReferral

MAX_LENGTH = 200
ROWS = 50  # for each of the three names


@dataclass(frozen=True, slots=True)
class Hit:
    """A referral that was found, and whose it is; None where its identity cannot be read."""

    row: Row
    patient: dict[str, Any] | None


@blueprint.get("/search")
@allow(*READERS)
def search_page() -> str:
    """Say what can be searched for."""
    return _page(None)


@blueprint.post("/search")
@allow(*READERS)
def search_referrals() -> str:
    """Show what is found, the newest first, of any status."""
    typed = " ".join(request.form.get("q", "").replace("\0", " ").split())[:MAX_LENGTH]  # no database takes a NUL
    return _page(_hits(typed) if typed else None)


def _page(hits: list[Hit] | None) -> str:
    return render_template("console/search.html", hits=hits, most=ROWS, now=current_context().now())


def _hits(typed: str) -> list[Hit]:
    now, cipher = current_context().now(), current_context().cipher
    found: dict[Any, StoredReferral] = {}
    with current_context().sessions() as session:
        for wanted in _wanted(typed):
            hits = search(session.connection(), wanted, scope(), test=False, limit=ROWS, after=None)
            found |= {each.id: each for each in hits.referrals}
        record_access(session, dict.fromkeys(each.patient for each in found.values()))
        session.commit()
    newest_first = sorted(found.values(), key=lambda each: (each.created_at, each.id), reverse=True)
    return [Hit(row(each, now), serializers.referral(each, cipher)["patient"]) for each in newest_first]


def _wanted(typed: str) -> Iterator[Wanted]:
    """Yield what the text may be: a reference alone is no record number unless one is spelled alike."""
    keys = current_context().settings.lookup_keys
    with suppress(BadReferenceError):
        yield Wanted(keys, reference=read_reference(typed))
    yield Wanted(keys, external_id=typed)
    yield Wanted(keys, mrn=typed)
