"""What is sold at the door: each sale, the receipts of sales to nobody, and deposits until they are returned."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Person
from coworking.billing.models import Invoice
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.kept_pdfs import KeptPdf
from coworking.core.privacy import HOST, MANAGER
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, BigInt, UTCDateTime, public_id


@sealed(MONEY)
class DoorReceipt(Model):
    """A numbered receipt: of a sale to nobody, of a deposit, or (``counter_sale``) what undoes one on its own day.

    ``payload`` is its whole content as RFC 8785 text (`billing.door_rules`), in which nobody is named; ``seq`` counts all
    receipts from 1 without a gap and ``prev`` is the digest of the link before, as with invoices. Append-only.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("kind IN ('sale', 'counter_sale')", name="kind"),
        CheckConstraint("(kind = 'counter_sale') = (corrects_id IS NOT NULL)", name="corrects"),
        CheckConstraint("(payable_cents > 0) = (kind = 'sale')", name="sign"),
        CheckConstraint("method IN ('cash', 'card', 'cheque', 'transfer')", name="method"),
        CheckConstraint("seq > 0", name="seq"),
        Index("ix_receipt_sold_on", "sold_on"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    seq: Mapped[int] = mapped_column(unique=True)
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"), unique=True)
    sold_on: Mapped[date]
    method: Mapped[str]
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    deposit_cents: Mapped[int]
    payable_cents: Mapped[int]
    payload: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str]
    prev: Mapped[str] = mapped_column(unique=True)
    key_id: Mapped[str]
    signature: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


@sealed(MONEY)
class ReceiptPdf(KeptPdf):
    """The PDF of a receipt as it was first drawn."""

    __tablename__ = "receipt_paper"

    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"), primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


@sealed(MONEY)
class DoorSale(Model):
    """One sale at the door on local date ``sold_on``, to ``person`` or nobody; with ``cancels_id`` the undoing of one.

    ``nonce`` names the intention: the same form sent twice sells once. ``method``: the means, or ``invoice`` for what goes
    on the person's next one. ``lines``: what was sold, as the receipt on screen lists it. ``invoice_id``: the invoice that
    it made for ``person`` (of an undoing, the credit note); ``receipt_id`` likewise. Append-only.
    """

    __tablename__ = "door_sale"
    __table_args__ = (
        CheckConstraint("method IN ('cash', 'card', 'cheque', 'transfer', 'invoice')", name="method"),
        CheckConstraint("(cents < 0) = (cancels_id IS NOT NULL)", name="sign"),
        CheckConstraint("cancels_id IS NULL OR reason IS NOT NULL", name="reason"),
        CheckConstraint("method <> 'invoice' OR (person_id IS NOT NULL AND receipt_id IS NULL)", name="later"),
        CheckConstraint("person_id IS NOT NULL OR receipt_id IS NOT NULL", name="receipt"),
        Index("ix_door_sale_sold_on", "sold_on"),
        Index("ix_door_sale_person_id", "person_id"),
        Index("ix_door_sale_invoice_id", "invoice_id"),
        Index("ix_door_sale_receipt_id", "receipt_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    nonce: Mapped[int] = mapped_column(BigInt, unique=True)
    sold_on: Mapped[date]
    method: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    cents: Mapped[int]
    vat_cents: Mapped[int]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"))
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"))
    cancels_id: Mapped[int | None] = mapped_column(ForeignKey("door_sale.id"), unique=True)
    reason: Mapped[str | None] = mapped_column(info={"seen_by": (HOST, MANAGER)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])
    created_by: Mapped[Person | None] = relationship(foreign_keys=[created_by_id])
    invoice: Mapped[Invoice | None] = relationship()
    receipt: Mapped[DoorReceipt | None] = relationship()


@sealed(MONEY)
class Deposit(Model):
    """One deposit that was taken, booked on ``account``; held until a `DepositReturn` says otherwise. Append-only."""

    __tablename__ = "deposit"
    __table_args__ = (
        CheckConstraint("cents > 0", name="cents"),
        Index("ix_deposit_receipt_id", "receipt_id"),
        Index("ix_deposit_person_id", "person_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    label: Mapped[str]
    cents: Mapped[int]
    account: Mapped[str]
    taken_on: Mapped[date]

    person: Mapped[Person | None] = relationship()
    receipt: Mapped[DoorReceipt] = relationship()


@sealed(MONEY)
class DepositReturn(Model):
    """A deposit was given back on local date ``returned_on``, once. Append-only.

    ``receipt_id``: the counter-sale that undid its sale; that moved the money, and this says only that it is not held.
    """

    __tablename__ = "deposit_return"
    __table_args__ = (
        CheckConstraint("method IN ('cash', 'card', 'cheque', 'transfer')", name="method"),
        Index("ix_deposit_return_receipt_id", "receipt_id"),
    )

    id: Mapped[BigId]
    deposit_id: Mapped[int] = mapped_column(ForeignKey("deposit.id"), unique=True)
    returned_on: Mapped[date]
    method: Mapped[str]
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    deposit: Mapped[Deposit] = relationship()
    created_by: Mapped[Person | None] = relationship()
