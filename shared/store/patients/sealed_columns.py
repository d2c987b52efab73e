"""The columns of sealed values, and the name of the row for which each value opens."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from shared.store.delivery.destinations import secret_row
from shared.store.event_log.texts import text_row
from shared.store.names.external_ids import external_id_row
from shared.store.patients.identities import reason_row


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column; `row` gives the name of the row for which a value opens, by the id in the column `of`."""

    table: str
    name: str
    of: str = "id"
    row: Callable[[UUID], str] = str


IDENTITY = SealedColumn("intakes", "identity")
BEFORE = SealedColumn("identity_corrections", "before", "intake_id")
AFTER = SealedColumn("identity_corrections", "after", "intake_id")
REASON = SealedColumn("identity_corrections", "reason", row=reason_row)
EXTERNAL_ID = SealedColumn("intakes", "external_id_sealed", row=external_id_row)
WORDS = SealedColumn("event_texts", "sealed", row=text_row)
WEBHOOK_SECRET = SealedColumn("destinations", "secret", row=secret_row)
