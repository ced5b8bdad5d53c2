"""Charges, invoices and credit notes, and payments. All amounts are integer cents."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Organisation, Person
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.kept_pdfs import KeptPdf
from coworking.core.privacy import ACCOUNTANT, CONTACT, LINK, MANAGER, SELF
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, BigInt, UTCDateTime, public_id

ONE_PAYER = "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)"


@sealed(MONEY, said=True)
class BillingSettings(Model):
    """What the lieu's PDFs say beyond its identity (a single row, id 1). None: the usual words, or nothing.

    ``legal_mention``: legal form, capital and register of a company. ``mentions``: the lieu's own words by mention
    (`billing.mentions`). ``exemption`` and ``penalty`` held two of them before; they count until one is set anew.
    ``debit_notice_days``: how long before a debit its payer is told.
    """

    __tablename__ = "billing_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("debit_notice_days BETWEEN 2 AND 14", name="debit_notice_days"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    vat_number: Mapped[str | None]
    legal_mention: Mapped[str | None]
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    exemption: Mapped[str | None]
    penalty: Mapped[str | None]
    mentions: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    vat_on_debits: Mapped[bool] = mapped_column(default=False)
    debit_notice_days: Mapped[int | None]


@sealed(MONEY)
class Charge(Model):
    """A billable fact, not yet invoiced while ``invoice_id`` is None; frozen by the database from then on.

    ``source`` and ``source_id`` name what it is for: a quote, a subscription's month, an assigned
    ``place``'s month, a pack, an adhesion, a free
    ``line``, the ``waiver`` of another charge, a ``discount`` on one, a charge of a credited invoice that is billed again
    (``rebill``), or a line of a ``sale`` at the door.
    ``month`` is the month it is for, ``due_month`` that of the invoice which carries it: a subscription is
    billed in advance. ``account``: of income, where it is not its family's usual one.
    ``quantity`` counts ``unit``: half-days, months, years or pieces; of an ``hour`` it counts the minutes.
    """

    __tablename__ = "charge"
    __table_args__ = (
        UniqueConstraint("source", "source_id", "month"),
        CheckConstraint(ONE_PAYER, name="one_payer"),
        CheckConstraint(
            "source IN ('quote', 'subscription', 'place', 'pack', 'adhesion', 'line', 'waiver', 'rebill', 'sale', "
            "'discount')",
            name="source",
        ),
        CheckConstraint("family IN ('desk', 'room', 'subscription', 'pack', 'adhesion', 'other')", name="family"),
        CheckConstraint("unit IN ('half_day', 'hour', 'month', 'year', 'piece')", name="unit"),
        CheckConstraint("basis IN ('ttc', 'ht')", name="basis"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("(amount_cents < 0) = (source IN ('waiver', 'discount'))", name="sign"),
        Index("ix_charge_payer_person_id", "payer_person_id", "invoice_id"),
        Index("ix_charge_payer_organisation_id", "payer_organisation_id", "invoice_id"),
        Index("ix_charge_invoice_id", "invoice_id", "due_month"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    source: Mapped[str]
    source_id: Mapped[int] = mapped_column(BigInt)
    family: Mapped[str]
    month: Mapped[date]
    due_month: Mapped[date]
    day: Mapped[date | None]
    label: Mapped[str] = mapped_column(info={"seen_by": (SELF, ACCOUNTANT, MANAGER)})
    quantity: Mapped[int]
    unit: Mapped[str]
    unit_cents: Mapped[int]
    amount_cents: Mapped[int]
    basis: Mapped[str]
    vat_rate_bp: Mapped[int]
    account: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"))

    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])
    payer_person: Mapped[Person | None] = relationship(foreign_keys=[payer_person_id])
    payer_organisation: Mapped[Organisation | None] = relationship()


class DraftHold(Model):
    """A payer whose drafts no run issues, until a manager lets them go by deleting the row."""

    __tablename__ = "draft_hold"
    __table_args__ = (CheckConstraint(ONE_PAYER, name="one_payer"),)

    id: Mapped[BigId]
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), unique=True)
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), unique=True)
    reason: Mapped[str] = mapped_column(info={"seen_by": (ACCOUNTANT, MANAGER)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


@sealed(MONEY)
class Invoice(Model):
    """An issued document, an invoice or a credit note. Never changed, never deleted: the database sees to it.

    ``payload`` is its whole content as RFC 8785 bytes (ASCII-safe text), ``sha256`` their digest. ``seq`` counts all
    documents from 1 without a gap; ``prev`` is the digest of the link before (see `core.links`). A credit
    note's amounts are negative, and ``corrects_id`` is the invoice of whose lines it takes back all or a part.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint(ONE_PAYER, name="one_payer"),
        CheckConstraint("kind IN ('invoice', 'credit_note')", name="kind"),
        CheckConstraint("(kind = 'credit_note') = (corrects_id IS NOT NULL)", name="corrects"),
        CheckConstraint("gross_cents = net_cents + vat_cents", name="gross"),
        CheckConstraint("payable_cents = gross_cents + rounding_cents", name="payable"),
        CheckConstraint("(payable_cents > 0) = (kind = 'invoice')", name="sign"),
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("issued_on <= due_on", name="due"),
        Index("ix_invoice_payer_person_id", "payer_person_id", "id"),
        Index("ix_invoice_payer_organisation_id", "payer_organisation_id", "id"),
        Index("ix_invoice_month", "month"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    seq: Mapped[int] = mapped_column(unique=True)
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"), index=True)
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    month: Mapped[date]
    issued_on: Mapped[date]
    due_on: Mapped[date]
    currency: Mapped[str]
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    gross_cents: Mapped[int]
    rounding_cents: Mapped[int]
    payable_cents: Mapped[int]
    payload: Mapped[str] = mapped_column(Text, info={"seen_by": (SELF, CONTACT, ACCOUNTANT, MANAGER, LINK)})
    sha256: Mapped[str]
    prev: Mapped[str] = mapped_column(unique=True)
    key_id: Mapped[str]
    signature: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    payer_person: Mapped[Person | None] = relationship(foreign_keys=[payer_person_id])
    payer_organisation: Mapped[Organisation | None] = relationship()
    corrects: Mapped[Invoice | None] = relationship(remote_side="Invoice.id")


class InvoiceCounter(Model):
    """The last number given in a ``series``: one per kind and year (``F2026``, ``A2026``), and the ``chain``'s.

    Locked last of all, so that numbers follow each other in time and none is lost: what rolls back gives its number back.
    """

    __tablename__ = "invoice_counter"
    __table_args__ = (CheckConstraint("last >= 0", name="last"),)

    series: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


@sealed(MONEY)
class Payment(Model):
    """Money received for an invoice on local date ``received_on``. Append-only.

    Negative cents went back to the payer, or take back the wrong entry ``reverses_id``. ``online_payment_id``: the gateway's
    payment that brought it or of which it went back; ``online_entry`` counts these entries from 0, per invoice.
    ``method`` ``credit``: out of the payer's credit (`payer_credit_models`), whose money had come before.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("online_payment_id", "invoice_id", "online_entry"),
        CheckConstraint("cents <> 0", name="cents"),
        CheckConstraint("method IN ('transfer', 'card', 'cheque', 'cash', 'debit', 'credit')", name="method"),
        Index("ix_payment_invoice_id", "invoice_id"),
        Index("ix_payment_received_on", "received_on"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    cents: Mapped[int]
    received_on: Mapped[date]
    method: Mapped[str]
    reference: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, CONTACT, ACCOUNTANT, MANAGER)})
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), unique=True)
    online_payment_id: Mapped[int | None] = mapped_column(ForeignKey("online_payment.id"))
    online_entry: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


@sealed(MONEY)
class InvoicePdf(KeptPdf):
    """The PDF of a document as it was first drawn, stored once and sent as it is."""

    __tablename__ = "invoice_paper"

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"), primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary, info={"seen_by": (SELF, CONTACT, ACCOUNTANT, MANAGER, LINK)})
