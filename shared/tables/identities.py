"""Table of corrections of patients' identities."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table


class IdentityCorrection(Table):
    """One correction of the identity of one intake, with the identity before and after; only ever added.

    `before` and `after` are the intake's column `identity` as it was and as it became, byte for byte: both open for
    the intake, and what did not open then opens once its key is back.
    """

    __tablename__ = "identity_corrections"

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUID version 7: in the order of time
    intake_id: Mapped[UUID] = mapped_column(ForeignKey("intakes.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    by: Mapped[str]
    key_id: Mapped[str]  # of the API key with which it was asked for
    fields: Mapped[list[str]]
    reason: Mapped[bytes]  # sealed for this row
    before: Mapped[bytes]
    after: Mapped[bytes]

    __table_args__ = (
        Index("ix_identity_corrections_intake", "intake_id", "id"),
        Index("ix_identity_corrections_before_key", text("sealing_key(before)")),
        Index("ix_identity_corrections_after_key", text("sealing_key(after)")),
    )
