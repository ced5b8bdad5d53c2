"""Issued invoices and credit notes, and their state."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import Month
from coworking.api.schemas.common import Page, PageQuery, Shown, text
from coworking.billing.rules import STATES


class InvoicesQuery(PageQuery):
    month = Month(metadata={"example": "2026-10"})


class Payer(Shown):
    kind = fields.String(required=True, metadata={"enum": ["person", "organisation"]})
    id = text(required=True)
    name = text(required=True)


class InvoiceLine(Shown):
    """``quantity`` of ``unit``; of an ``hour`` it counts the minutes. Prices and amount are in ``price_basis``."""

    label = text(required=True)
    quantity = fields.Integer(required=True)
    unit = fields.String(required=True, metadata={"enum": ["half_day", "hour", "month", "year", "piece"]})
    unit_cents = fields.Integer(required=True, metadata={"description": "`unit_micros` to the nearest cent."})
    unit_micros = fields.Integer(
        required=True,
        metadata={"description": "The unit price as it is printed, in millionths: 8333300 is 8.3333 euros."},
    )
    amount_cents = fields.Integer(required=True)
    vat_rate_bp = fields.Integer(required=True, metadata={"description": "Basis points: 2000 is 20 %."})


class InvoiceInList(Shown):
    """An issued invoice or credit note; it never changes. Amounts are integer cents, a credit note's negative.

    ``payable_cents`` = gross + rounding. ``state`` and ``open_cents`` say how it stands today.
    """

    id = text(required=True)
    number = text(required=True)
    kind = fields.String(required=True, metadata={"enum": ["invoice", "credit_note"]})
    corrects = text(
        required=True,
        allow_none=True,
        metadata={"description": "The number of the invoice it takes back, or a part of."},
    )
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    payer = fields.Nested(Payer, required=True)
    month = text(required=True, metadata={"example": "2026-10"})
    issued_on = fields.String(required=True, metadata={"format": "date"})
    due_on = fields.String(required=True, metadata={"format": "date"})
    currency = text(required=True)
    price_basis = fields.String(required=True, metadata={"enum": ["ttc", "ht"]})
    net_cents = fields.Integer(required=True)
    vat_cents = fields.Integer(required=True)
    gross_cents = fields.Integer(required=True)
    rounding_cents = fields.Integer(required=True)
    payable_cents = fields.Integer(required=True)
    paid_cents = fields.Integer(required=True)
    credited_cents = fields.Integer(required=True, metadata={"description": "What credit notes take back of it."})
    open_cents = fields.Integer(required=True)


class Invoice(InvoiceInList):
    """The same with its lines."""

    lines = fields.List(fields.Nested(InvoiceLine), required=True)


class Invoices(Page):
    items = fields.List(fields.Nested(InvoiceInList), required=True)
