"""Tables of API keys."""

from datetime import datetime

from sqlalchemy import CheckConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table, one_of

ROLES = ("submitter", "department", "operator", "auditor", "admin")
WITHOUT_FACILITY = ("department", "operator", "auditor", "admin")  # roles whose keys may see every facility


class ApiKey(Table):
    """Who may call: a facility's system or a member of staff. Only the hash of the secret is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes]
    role: Mapped[str]
    facility: Mapped[str | None]
    queues: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role"),
        CheckConstraint(f"facility is not null or {one_of('role', WITHOUT_FACILITY)}", name="facility"),
    )
