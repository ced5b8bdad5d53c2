"""Who withdrew within the legal fourteen days from what they had bought at a distance."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.membership.models import Pack, Subscription


@sealed(MONEY)
class Withdrawal(Model):
    """The person of a subscription or a pack withdrew from it on local date ``sent_on``, when they said or wrote so.

    Append-only, once for each. ``kept_cents`` are owed for what was used until then, ``returned_cents`` no longer; both in
    the basis of what was bought.
    """

    __tablename__ = "withdrawal"
    __table_args__ = (
        CheckConstraint("(subscription_id IS NULL) <> (pack_id IS NULL)", name="one_contract"),
        CheckConstraint("kept_cents >= 0 AND returned_cents >= 0", name="cents"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), unique=True)
    pack_id: Mapped[int | None] = mapped_column(ForeignKey("pack.id"), unique=True)
    sent_on: Mapped[date]
    kept_cents: Mapped[int]
    returned_cents: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    subscription: Mapped[Subscription | None] = relationship()
    pack: Mapped[Pack | None] = relationship()

    @property
    def contract(self) -> Subscription | Pack:
        """What they withdrew from."""
        found = self.subscription or self.pack
        assert found is not None
        return found
