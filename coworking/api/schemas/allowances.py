"""What one has to book with: the month's allowances, packs, and packs that can be bought."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import Number, StrictSchema, Text
from coworking.api.schemas.common import Page, Shown, choice, text

MOST_CENTS = 10_000_000


class Allowance(Shown):
    """One allowance in one month; of a ``pack``: over its whole life. ``given`` is ``used`` + ``booked`` + ``left``.

    In half-days, or where ``unit`` is ``hour`` in minutes; ``given`` and ``left`` null: no limit. ``carried``: what of
    ``given`` came over from the month before.
    """

    kind = choice("employer", "plan", "pack")
    name = text(required=True)
    unit = choice("half_day", "hour")
    since = fields.Date(required=True)
    until = fields.Date(required=True)
    given = fields.Integer(required=True, allow_none=True)
    used = fields.Integer(required=True)
    booked = fields.Integer(required=True)
    left = fields.Integer(required=True, allow_none=True)
    carried = fields.Integer(required=True)


class Allowances(Page):
    items = fields.List(fields.Nested(Allowance), required=True)


class OfferedPack(Shown):
    """A pack that can be bought: ``units`` half-days, or minutes where ``unit`` is ``hour``; ``cents`` hold the VAT."""

    id = text(required=True)
    name = text(required=True)
    unit = choice("half_day", "hour")
    units = fields.Integer(required=True)
    cents = fields.Integer(required=True)
    valid_months = fields.Integer(required=True)


class OfferedPacks(Page):
    items = fields.List(fields.Nested(OfferedPack), required=True)


class NewPack(StrictSchema):
    offer_id = Text(required=True, metadata={"example": "k7mq2v9xw4tdz3hb"})
    agreed_cents = Number(0, MOST_CENTS, required=True, metadata={"example": 8000})


class BoughtPack(Shown):
    """A pack of one's own; ``left`` of its ``units`` can still be booked until the end of ``valid_until``."""

    id = text(required=True)
    name = text(required=True)
    unit = choice("half_day", "hour")
    units = fields.Integer(required=True)
    left = fields.Integer(required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)
