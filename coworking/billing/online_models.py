"""Payments through a gateway: what was asked for, what became of it, and when. All amounts are integer cents."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Organisation, Person
from coworking.billing.models import ONE_PAYER, Invoice
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import ACCOUNTANT, CONTACT, MANAGER, SELF
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.pricing.models import Sale

STATES = ("opening", "open", "pending", "paid", "failed", "expired")


@sealed(MONEY)
class OnlinePayment(Model):
    """One attempt of a payer to pay invoices, or a sale, on a gateway's page.

    ``state``: ``opening`` before the gateway has answered, ``open`` while the payer may pay, ``pending`` while a bank may
    still say no, then ``paid``, ``failed`` or ``expired``. ``public_id`` is the key that the gateway got. ``is_live``: real
    money. ``checkout_id`` and ``foreign_id``: the gateway's names of its page and of the money that moved; ``expires_at``:
    when that page ends, where the gateway says so. What arrived beyond what was still owed is in no `Payment` and must be
    given back (`OnlineRefund`). ``sale_id``: what it is for where that is no invoice yet; its one part is written with
    the invoice, and what came for a sale that can no longer be had has none and is given back. ``saved_means_id``: it is
    collected from what the payer saved, without a page; its ``checkout_id`` is then the name of the charge.
    """

    __tablename__ = "online_payment"
    __table_args__ = (
        CheckConstraint(ONE_PAYER, name="one_payer"),
        CheckConstraint("cents > 0", name="cents"),
        CheckConstraint(f"state IN ({', '.join(map(repr, STATES))})", name="state"),
        CheckConstraint("means IN ('card', 'debit')", name="means"),
        CheckConstraint("state IN ('opening', 'failed') OR checkout_id IS NOT NULL", name="opened"),
        UniqueConstraint("gateway", "checkout_id"),
        UniqueConstraint("gateway", "foreign_id"),
        Index("ix_online_payment_payer_person_id", "payer_person_id", "id"),
        Index("ix_online_payment_payer_organisation_id", "payer_organisation_id", "id"),
        Index("ix_online_payment_state", "state", "id"),
        Index("ix_online_payment_sale_id", "sale_id"),
        Index("ix_online_payment_saved_means_id", "saved_means_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    gateway: Mapped[str]
    is_live: Mapped[bool]
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    sale_id: Mapped[int | None] = mapped_column(ForeignKey("sale.id"))
    cents: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(default="opening")
    means: Mapped[str | None]
    locale: Mapped[str]
    reason: Mapped[str | None]
    checkout_id: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    checkout_url: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, CONTACT, ACCOUNTANT, MANAGER)})
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    foreign_id: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    saved_means_id: Mapped[int | None] = mapped_column(ForeignKey("saved_means.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    payer_person: Mapped[Person | None] = relationship(foreign_keys=[payer_person_id])
    payer_organisation: Mapped[Organisation | None] = relationship()
    sale: Mapped[Sale | None] = relationship()
    parts: Mapped[list[OnlinePaymentPart]] = relationship(order_by="OnlinePaymentPart.invoice_id")
    refunds: Mapped[list[OnlineRefund]] = relationship(order_by="OnlineRefund.id")
    disputes: Mapped[list[OnlineDispute]] = relationship(order_by="OnlineDispute.id", back_populates="payment")
    steps: Mapped[list[OnlinePaymentStep]] = relationship(order_by="OnlinePaymentStep.id")


@sealed(MONEY)
class OnlinePaymentPart(Model):
    """How much of an online payment is for one invoice. Append-only."""

    __tablename__ = "online_payment_part"
    __table_args__ = (
        UniqueConstraint("online_payment_id", "invoice_id"),
        CheckConstraint("cents > 0", name="cents"),
        Index("ix_online_payment_part_invoice_id", "invoice_id"),
    )

    id: Mapped[BigId]
    online_payment_id: Mapped[int] = mapped_column(ForeignKey("online_payment.id"))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    cents: Mapped[int]

    invoice: Mapped[Invoice] = relationship()


@sealed(MONEY)
class OnlineRefund(Model):
    """Money of an online payment that goes back to its payer, and how.

    ``state`` None: a manager wrote down on local date ``given_on`` that they gave it back. A refund through the gateway is
    ``asked`` until the gateway says that it is ``done`` or ``failed``; a done one may fail days later. ``public_id`` is the
    key that the gateway got, None where the refund was made on its own site; ``foreign_id`` the gateway's name of it.
    """

    __tablename__ = "online_refund"
    __table_args__ = (
        CheckConstraint("cents > 0", name="cents"),
        CheckConstraint("method IN ('gateway', 'transfer', 'cheque', 'cash')", name="method"),
        CheckConstraint("state IN ('asked', 'done', 'failed')", name="state"),
        UniqueConstraint("online_payment_id", "foreign_id"),
        Index("ix_online_refund_online_payment_id", "online_payment_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str | None] = mapped_column(unique=True)
    online_payment_id: Mapped[int] = mapped_column(ForeignKey("online_payment.id"))
    cents: Mapped[int]
    given_on: Mapped[date]
    method: Mapped[str]
    state: Mapped[str | None]
    reason: Mapped[str | None]
    foreign_id: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


@sealed(MONEY)
class OnlineDispute(Model):
    """A payer's bank that wants the money of an online payment back: ``open``, then ``won`` by the lieu or ``lost``.

    A returned direct debit is lost at once. ``respond_by``: until when the lieu may answer, at the gateway.
    """

    __tablename__ = "online_dispute"
    __table_args__ = (
        CheckConstraint("cents > 0", name="cents"),
        CheckConstraint("state IN ('open', 'won', 'lost')", name="state"),
        UniqueConstraint("online_payment_id", "foreign_id"),
        Index("ix_online_dispute_online_payment_id", "online_payment_id"),
        Index("ix_online_dispute_state", "state", "id"),
    )

    id: Mapped[BigId]
    online_payment_id: Mapped[int] = mapped_column(ForeignKey("online_payment.id"))
    foreign_id: Mapped[str] = mapped_column(info={"seen_by": ()})
    cents: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str | None]
    respond_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    payment: Mapped[OnlinePayment] = relationship(back_populates="disputes")


@sealed(MONEY)
class OnlinePaymentStep(Model):
    """A state that an online payment reached, when we learned of it, and why. Append-only: its history."""

    __tablename__ = "online_payment_step"
    __table_args__ = (
        UniqueConstraint("online_payment_id", "state"),
        CheckConstraint(f"state IN ({', '.join(map(repr, STATES))})", name="state"),
    )

    id: Mapped[BigId]
    online_payment_id: Mapped[int] = mapped_column(ForeignKey("online_payment.id"))
    state: Mapped[str]
    reason: Mapped[str | None]
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
