"""What one has to book with: the month's allowances, packs, and packs that can be bought."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import Number, StrictSchema, Text
from coworking.api.schemas.common import Page, Shown, choice, instant, text
from coworking.billing.rules import MAX_REASON

MOST_CENTS = 10_000_000
MOST_UNITS = 100_000


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


class NewPackRequest(StrictSchema):
    reason = Text(most=MAX_REASON, metadata={"example": "I move away"})


class DeclinedPackRequest(StrictSchema):
    reason = Text(most=MAX_REASON, required=True, metadata={"example": "This pack was on offer"})


class PackGivenBack(StrictSchema):
    agreed_cents = Number(0, MOST_CENTS, required=True, metadata={"example": 6400})
    agreed_units = Number(1, MOST_UNITS, required=True, metadata={"example": 8})


class ShownPackRequest(Shown):
    """Somebody asks for what is ``left`` of a pack to be given back.

    ``state``: ``open``; ``granted``, ``declined`` with an ``answer``, or ``taken_back``; ``over``: nobody answered before
    the pack was used up or its days were over. ``cents``, in ``basis``: what giving it back comes to now, or came to.
    """

    id = text(required=True)
    pack_id = text(required=True)
    pack_name = text(required=True)
    person_id = text(required=True)
    person_name = text(required=True)
    unit = choice("half_day", "hour")
    left = fields.Integer(required=True)
    valid_until = fields.Date(required=True)
    reason = text(required=True, allow_none=True)
    asked_at = instant(required=True)
    state = choice("open", "granted", "declined", "taken_back", "over")
    answer = text(required=True, allow_none=True)
    cents = fields.Integer(required=True, allow_none=True)
    basis = choice("ttc", "ht")


class WaitingPackRequest(ShownPackRequest):
    """One that waits for an answer: it is ``open``."""


class PackRequests(Page):
    items = fields.List(fields.Nested(WaitingPackRequest), required=True)
