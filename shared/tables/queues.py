"""Table of changes of the number of open referrals, from which queues are counted without reading referrals."""

from sqlalchemy import BigInteger, Identity, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table


class QueueChange(Table):
    """Open referrals by which a facility's part of a queue grew or shrank; the sum of all rows is what stands there.

    Written by a trigger with every change of a referral, and only ever added by it, so that no two changes wait for
    each other. The watchman sums the rows up.
    """

    __tablename__ = "queue_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    facility: Mapped[str]
    queue: Mapped[str]
    priority: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str]
    change: Mapped[int]
