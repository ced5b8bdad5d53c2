"""Payments through a gateway."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import StrictSchema, Text
from coworking.api.schemas.common import Page, Shown, choice, instant, text
from coworking.billing.online_models import STATES


class NewCheckout(StrictSchema):
    gateway = Text(metadata={"example": "stripe"})


class PaidInvoice(Shown):
    id = text(required=True)
    number = text(required=True)
    cents = fields.Integer(required=True)


class Refund(Shown):
    """Money that went back. ``asked`` until the provider has answered; ``failed`` may come days after ``done``."""

    cents = fields.Integer(required=True)
    state = choice("asked", "done", "failed")
    method = choice("gateway", "transfer", "cheque", "cash")
    changed_at = instant(required=True)


class Dispute(Shown):
    """A payer's bank that wants money back. ``lost``: it was taken back, and is owed again."""

    cents = fields.Integer(required=True)
    state = choice("open", "won", "lost")
    respond_by = instant(required=True, allow_none=True)
    changed_at = instant(required=True)


class PaymentInList(Shown):
    """One attempt to pay invoices on a payment provider's page, in integer cents.

    ``pending``: a direct debit that the bank has not answered yet. ``reason``: why it failed, in the provider's words.
    """

    id = text(required=True)
    gateway = text(required=True)
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    cents = fields.Integer(required=True)
    currency = text(required=True)
    means = choice("card", "debit")
    reason = text(required=True, allow_none=True)
    url = text(required=True, allow_none=True, metadata={"description": "Where the payer pays, while it is open."})
    invoices = fields.List(fields.Nested(PaidInvoice), required=True)
    refunds = fields.List(fields.Nested(Refund), required=True)
    disputes = fields.List(fields.Nested(Dispute), required=True)
    created_at = instant(required=True)
    changed_at = instant(required=True)


class Payment(PaymentInList):
    """The same, by itself."""


class Payments(Page):
    items = fields.List(fields.Nested(PaymentInList), required=True)
