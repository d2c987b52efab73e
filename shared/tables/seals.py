"""Tables of seals: MACs of events, referrals and API keys by a key outside the database; append-only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from shared.tables.base import Table


class ChainSeal(Table):
    """The heads of both chains at one moment under a keyed MAC, which also covers the seal before.

    The first one is the switch-over: what is older than it was sealed as it stood then.
    """

    __tablename__ = "chain_seals"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    number: Mapped[int] = mapped_column(BigInteger)  # of the last event that it covers
    digest: Mapped[bytes]
    access_number: Mapped[int] = mapped_column(BigInteger)  # of the last record of the access log
    access_digest: Mapped[bytes]
    mac: Mapped[bytes]


class ReferralSeal(Table):
    """How a referral, its form and its decision stood after an event, under a keyed MAC."""

    __tablename__ = "referral_seals"

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    queue: Mapped[str]
    priority: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str]
    mac: Mapped[bytes]


class KeySeal(Table):
    """An API key as it was issued, under a keyed MAC."""

    __tablename__ = "key_seals"

    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    mac: Mapped[bytes]
