"""A payer's account."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.schemas.common import Shown, choice, text


class AccountEntry(Shown):
    """One line, in integer cents: ``cents`` adds to what the payer owes (an invoice) or takes from it (money received).

    ``moved_cents``: what it is about; a credit that pays an invoice moves money and changes no balance.
    """

    day = fields.Date(required=True)
    kind = choice(
        "invoice", "credit_note", "payment", "reversal", "received", "used", "given", "undone", "online", "online_given"
    )
    number = text(required=True, allow_none=True)
    invoice_id = text(required=True, allow_none=True)
    means = text(required=True, allow_none=True)
    cents = fields.Integer(required=True)
    moved_cents = fields.Integer(required=True)
    balance_cents = fields.Integer(required=True)


class Account(Shown):
    """``balance_cents`` is ``owed_cents - credit_cents - to_give_back_cents``."""

    id = text(required=True)
    kind = choice("person", "organisation")
    name = text(required=True)
    currency = text(required=True)
    invoiced_cents = fields.Integer(required=True)
    credited_cents = fields.Integer(required=True)
    paid_cents = fields.Integer(required=True)
    owed_cents = fields.Integer(required=True)
    credit_cents = fields.Integer(required=True)
    to_give_back_cents = fields.Integer(required=True)
    balance_cents = fields.Integer(required=True)
    entries = fields.List(fields.Nested(AccountEntry), required=True)
