"""What the nightly check found, night by night; the drawer, and the cash that moved."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Person
from coworking.billing.door_models import DoorReceipt
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import HOST, MANAGER
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id


class AuditRun(Model):
    """One run of the nightly check.

    ``broken``: how many checks found something; ``digest``: of all that was found, so that the same is recognised;
    ``told_at``: when the managers were last told of just this, None while nothing is wrong or it was seen only once.
    """

    __tablename__ = "audit_run"

    id: Mapped[BigId]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    broken: Mapped[int]
    digest: Mapped[str | None]
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


@sealed(MONEY)
class DrawerCount(Model):
    """What was in the drawer when it was opened or closed on local date ``counted_on``. Append-only.

    ``seq`` counts from 1: what is odd opens, what is even closes, so one drawer is open at a time, is closed once, and none
    is opened again. ``expected_cents``: what should have been there; ``last_seq``: the newest cash movement by then, the
    difference included.
    """

    __tablename__ = "drawer_count"
    __table_args__ = (
        CheckConstraint("kind IN ('opened', 'closed')", name="kind"),
        CheckConstraint("seq > 0 AND (kind = 'opened') = (seq % 2 = 1)", name="turn"),
        CheckConstraint("counted_cents >= 0", name="counted"),
        Index("ix_drawer_count_counted_on", "counted_on"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    seq: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[str]
    counted_on: Mapped[date]
    counted_cents: Mapped[int]
    expected_cents: Mapped[int]
    last_seq: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    created_by: Mapped[Person | None] = relationship()


@sealed(MONEY)
class CashMovement(Model):
    """Cash that came in or went out: ``seq`` from 1 without a gap, ``balance_cents`` what should be there afterwards.

    ``kind`` names what it is for, which has a row of its own and moves once; or by itself: ``float``, change put in;
    ``bank``, taken to the bank; ``difference``, what a count found too much or too little. Append-only.
    """

    __tablename__ = "cash_movement"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('receipt', 'payment', 'deposit_return', 'payer_credit', 'online_refund',"
            " 'float', 'bank', 'difference')",
            name="kind",
        ),
        CheckConstraint("cents <> 0", name="cents"),
        CheckConstraint("(kind = 'receipt') = (receipt_id IS NOT NULL)", name="receipt"),
        CheckConstraint("(kind = 'payment') = (payment_id IS NOT NULL)", name="payment"),
        CheckConstraint("(kind = 'deposit_return') = (deposit_return_id IS NOT NULL)", name="deposit_return"),
        CheckConstraint("(kind = 'payer_credit') = (payer_credit_id IS NOT NULL)", name="payer_credit"),
        CheckConstraint("(kind = 'online_refund') = (online_refund_id IS NOT NULL)", name="online_refund"),
        Index("ix_cash_movement_moved_on", "moved_on"),
    )

    id: Mapped[BigId]
    seq: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[str]
    cents: Mapped[int]
    balance_cents: Mapped[int]
    moved_on: Mapped[date]
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"), unique=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), unique=True)
    deposit_return_id: Mapped[int | None] = mapped_column(ForeignKey("deposit_return.id"), unique=True)
    payer_credit_id: Mapped[int | None] = mapped_column(ForeignKey("payer_credit.id"), unique=True)
    online_refund_id: Mapped[int | None] = mapped_column(ForeignKey("online_refund.id"), unique=True)
    note: Mapped[str | None] = mapped_column(info={"seen_by": (HOST, MANAGER)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    created_by: Mapped[Person | None] = relationship()
    receipt: Mapped[DoorReceipt | None] = relationship()
