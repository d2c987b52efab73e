"""Tables of console sessions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table, one_of

SESSION_KINDS = ("person", "wall")


class ConsoleSession(Table):
    """A browser that is signed in with a key: a person's, or a wall screen's, which sees no identity and cannot act.

    Only the hash of the cookie's token is kept.
    """

    __tablename__ = "console_sessions"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), index=True)
    name: Mapped[str | None]  # of the person who signed in; a wall has none
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())  # the last request that a person made
    expires_at: Mapped[datetime] = mapped_column(index=True)  # whatever happens

    __table_args__ = (
        CheckConstraint(one_of("kind", SESSION_KINDS), name="kind"),
        CheckConstraint("(kind = 'person') = (name is not null)", name="name"),
    )
