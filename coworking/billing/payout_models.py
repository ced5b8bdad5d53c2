"""What a payment provider transfers to the lieu's bank, and of what it consists. All amounts are integer cents."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.billing.online_models import OnlinePayment
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import ACCOUNTANT, MANAGER
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id


@sealed(MONEY)
class OnlinePayout(Model):
    """One transfer of a provider to the lieu's bank, as the provider tells it; below zero, it took money from there.

    ``state``: ``under_way``, then ``paid`` or ``failed``; a paid one may fail days later. ``foreign_id``: the provider's
    name of it; ``reference``: what the bank line may say. ``parts_read_at``: when the provider said what it consists
    of, once and whole; ``unexplained_cents``: how much of it that does not explain, None before. The database compares.
    """

    __tablename__ = "online_payout"
    __table_args__ = (
        UniqueConstraint("gateway", "foreign_id"),
        CheckConstraint("cents <> 0", name="cents"),
        CheckConstraint("state IN ('under_way', 'paid', 'failed')", name="state"),
        CheckConstraint("(parts_read_at IS NULL) = (unexplained_cents IS NULL)", name="explained"),
        Index("ix_online_payout_arrives_on", "arrives_on", "id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    gateway: Mapped[str]
    foreign_id: Mapped[str] = mapped_column(info={"seen_by": ()})
    is_live: Mapped[bool]
    cents: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(default="under_way")
    reason: Mapped[str | None]
    reference: Mapped[str | None] = mapped_column(info={"seen_by": (ACCOUNTANT, MANAGER)})
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    arrives_on: Mapped[date]
    parts_read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    unexplained_cents: Mapped[int | None]
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    parts: Mapped[list[OnlinePayoutPart]] = relationship(order_by="OnlinePayoutPart.id")


@sealed(MONEY)
class OnlinePayoutPart(Model):
    """One movement within a payout. Append-only, and only until the payout's parts have been read.

    ``cents``: before the fee, below zero for what left; ``fee_cents``: the fee as the provider states it. A ``payment``,
    ``refund`` or ``dispute`` without ``online_payment_id`` is none of this lieu's, and explains nothing.
    """

    __tablename__ = "online_payout_part"
    __table_args__ = (
        CheckConstraint("kind IN ('payment', 'refund', 'dispute', 'fee', 'returned', 'other')", name="kind"),
        CheckConstraint("online_payment_id IS NULL OR kind IN ('payment', 'refund', 'dispute')", name="payment"),
        Index("ix_online_payout_part_payout_id", "payout_id"),
        Index("ix_online_payout_part_moved_on", "moved_on"),
        Index("ix_online_payout_part_online_payment_id", "online_payment_id"),
    )

    id: Mapped[BigId]
    payout_id: Mapped[int] = mapped_column(ForeignKey("online_payout.id"))
    foreign_id: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    kind: Mapped[str]
    cents: Mapped[int]
    fee_cents: Mapped[int]
    moved_on: Mapped[date]
    online_payment_id: Mapped[int | None] = mapped_column(ForeignKey("online_payment.id"))

    payment: Mapped[OnlinePayment | None] = relationship()
