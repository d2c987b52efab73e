"""Accepts forms: validate, read, screen, build, store once, wake a worker. Every form that is stored passes here.

`accept_intake` takes one form and `accept_batch` the lines of a batch. Both build an intake by `_build` and wake the
workers by `_wake_up`; they differ in the statement that stores and in the admission slot they hold meanwhile.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import g

from services.api.context import AppContext
from services.api.forms.receive_form import read_form
from services.api.http.problems import ProblemError
from services.api.http.retries import with_retries
from services.api.intakes.build_intake import build_intake
from services.api.intakes.insert_or_replay import insert_all, insert_or_replay
from services.api.limits.rate_limits import refuse_excess
from shared.platform.task_queues import triage_wake_up
from shared.store.insert_batch import NamedIntake
from shared.store.intakes import NewIntake, Receipt
from shared.store.names.idempotency_keys import StoredKey, stored_key

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The stored intake; `is_replayed` where it was stored by an earlier request or line under one of its names."""

    receipt: Receipt
    is_replayed: bool


def accept_intake(context: AppContext, body: Any, key: str | None, *, facility: str) -> Accepted:
    """Store the form `body` of `facility` once, however often it is sent, and have a worker triage it.

    `body` is parsed JSON and `key` the idempotency key. Raises ProblemError where the form is invalid, one of its names
    stands for another body, or the admission control sheds the request; nothing is stored then.
    """
    new = _build(context, body, facility, context.now())
    stored = _stored_key(context, key, facility)
    with context.admission.slot(new.lane):
        receipt = with_retries(lambda: insert_or_replay(context, new, stored))
    accepted = Accepted(receipt, is_replayed=receipt.id != new.id)
    g.stored = time.perf_counter()
    _wake_up(context, [accepted])
    return accepted


def accept_batch(
    context: AppContext,
    split: Callable[[], Sequence[Item]],
    parse: Callable[[Item], tuple[Any, str | None]],
    *,
    facility: str,
) -> list[Accepted | ProblemError]:
    """Do with each item of a batch what `accept_intake` does with one form; store all of them in one transaction.

    `split` returns the items and `parse` the form and the idempotency key of one. Returns a ProblemError instead of an
    item that is refused. Where it raises, nothing of the batch was stored.
    """
    with context.admission.batch_slot():
        with context.admission.reading:
            now = context.now()
            built = [_build_item(context, item, parse, facility, now) for item in split()]
        to_store = [line for line in built if isinstance(line, NamedIntake)]
        stored = with_retries(lambda: insert_all(context, to_store))
    outcomes = [line if isinstance(line, ProblemError) else _accepted(line, stored[line.new.id]) for line in built]
    _wake_up(context, (outcome for outcome in outcomes if isinstance(outcome, Accepted)))
    return outcomes


def _build(context: AppContext, body: Any, facility: str, now: datetime) -> NewIntake:
    """Validate and read the form, choose its lane and return the row to store."""
    new = build_intake(context, read_form(context, body, now), facility)
    refuse_excess(new.lane)
    return new


def _build_item(
    context: AppContext, item: Item, parse: Callable[[Item], tuple[Any, str | None]], facility: str, now: datetime
) -> NamedIntake | ProblemError:
    try:
        body, key = parse(item)
        new = _build(context, body, facility, now)
    except ProblemError as problem:
        return problem
    if key is None and new.sent.external_id is None:
        return ProblemError(
            422,
            "A line needs an idempotency_key or an encounter.external_id, so that it can be sent again.",
            kind="missing-idempotency-key",
        )
    return NamedIntake(new, _stored_key(context, key, facility))


def _stored_key(context: AppContext, key: str | None, facility: str) -> StoredKey | None:
    if key is None:
        return None
    return stored_key(key, facility, context.settings.lookup_keys, hashed=context.cipher.is_bound)


def _accepted(line: NamedIntake, stored: Receipt | ProblemError) -> Accepted | ProblemError:
    if isinstance(stored, ProblemError):
        return stored
    return Accepted(stored, is_replayed=stored.id != line.new.id)


def _wake_up(context: AppContext, accepted: Iterable[Accepted]) -> None:
    """Announce each lane that has a new intake, once."""
    for lane in sorted({each.receipt.lane for each in accepted if not each.is_replayed}):
        context.announce(triage_wake_up(lane))
