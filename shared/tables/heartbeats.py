"""Table of the heartbeats of processes."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table


class Heartbeat(Table):
    """A process that is at work, and since when it has not said so any more."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(primary_key=True)  # host, role and process id
    role: Mapped[str]
    version: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    beat_at: Mapped[datetime] = mapped_column(server_default=func.now())
