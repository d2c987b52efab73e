"""Table of what people wrote in events: sealed, apart from the events, so that it can be sealed anew and erased."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table


class EventText(Table):
    """The words of one event, by the member of its data; `sealed` for this row with the key of their HMACs."""

    __tablename__ = "event_texts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), index=True)
    sealed: Mapped[bytes]

    __table_args__ = (Index("ix_event_texts_sealing_key", text("sealing_key(sealed)")),)
