"""Handover: what nobody has acknowledged, what is in hand and by whom, and what left since a time."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from flask import render_template, request
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.console.rows import rows
from services.api.console.session import signed_in
from services.api.context import current_context
from services.api.http.auth import READERS, allow, caller, scope
from shared.clinical.referral.lifecycle import QUEUES
from shared.store.lists.worklist import worklist
from shared.store.operations.handover import moved_since
from shared.store.referrals import StoredReferral

ROWS = 200  # of each queue and status; a longer list is no handover, and the page says that it was cut
WINDOWS = {"8h": timedelta(hours=8), "12h": timedelta(hours=12), "24h": timedelta(hours=24)}


@blueprint.get("/handover")
@allow("auditor", *READERS)
def handover() -> str:
    """Show the sheet by which one shift hands over to the next."""
    window = request.args.get("since", "12h")
    if window not in WINDOWS:
        raise NotFound
    now = current_context().now()
    waiting, held = _of_status("queued"), in_hand()
    with current_context().statements.connect() as connection:
        since, cipher = now - WINDOWS[window], current_context().cipher
        moved = moved_since(connection, scope(), since, cipher=cipher, limit=ROWS)
    return render_template(
        "console/handover.html",
        waiting=rows(waiting, now),
        in_hand=sorted(rows(held, now), key=lambda row: (row.owner or "", row.since)),
        owners=Counter(each.acknowledged_by for each in held if each.acknowledged_by),
        me=signed_in().name,
        taken=request.args.get("taken", type=int),
        moved=moved,
        window=window,
        windows=list(WINDOWS),
        cut=max(len(waiting), len(held)) >= ROWS,
        now=now,
    )


def in_hand() -> Sequence[StoredReferral]:
    """Return what is acknowledged and not ended, of the queues that the caller sees."""
    return _of_status("acknowledged")


def _of_status(status: str) -> Sequence[StoredReferral]:
    seen = [name for name in QUEUES if caller().role != "department" or name in caller().queues]
    with current_context().statements.connect() as connection:
        found = [worklist(connection, name, status, scope(), limit=ROWS, after=None) for name in seen]
    return [each for queue in found for each in queue]
