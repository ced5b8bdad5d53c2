"""Plans that can be taken, and the plans somebody has or had."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import Month, Number, StrictSchema, Text
from coworking.api.schemas.allowances import MOST_CENTS
from coworking.api.schemas.common import Page, Shown, text


class PlanGives(Shown):
    """What a plan gives in a month: half-days (null: no limit), minutes of rooms and offices (null: none), and how much of
    what is not used goes over into the next month at most (null: nothing)."""

    halfdays = fields.Integer(required=True, allow_none=True)
    room_minutes = fields.Integer(required=True, allow_none=True)
    rollover_halfdays = fields.Integer(required=True, allow_none=True)
    rollover_minutes = fields.Integer(required=True, allow_none=True)


class OfferedPlan(PlanGives):
    """A plan as the token's person would have it. ``cents`` a month and ``first_month_cents``, where it begins with this
    month, hold the VAT; ``begins_on``: that month counts from this day on, null: all of it. ``bound_until``: the last month
    of its minimum term."""

    id = text(required=True)
    name = text(required=True)
    cents = fields.Integer(required=True)
    first_month_cents = fields.Integer(required=True)
    begins_on = fields.Date(required=True, allow_none=True)
    is_trial = fields.Boolean(required=True)
    bound_until = text(required=True, allow_none=True)
    price_group = text(required=True, allow_none=True)


class OfferedPlans(Page):
    items = fields.List(fields.Nested(OfferedPlan), required=True)


class NewSubscription(StrictSchema):
    plan_id = Text(required=True, metadata={"example": "k7mq2v9xw4tdz3hb"})
    first_month = Month(required=True, metadata={"example": "2026-12"})
    agreed_cents = Number(0, MOST_CENTS, required=True, metadata={"example": 6000})


class HeldPlan(PlanGives):
    """A plan of one's own, in months like ``2026-12``; ``last_month`` null: it goes on. ``cents`` are what a month costs
    while one has the right to its reduced price, with the VAT. ``from_day``: it only adds to its month, from that day on."""

    id = text(required=True)
    name = text(required=True)
    first_month = text(required=True)
    last_month = text(required=True, allow_none=True)
    bound_until = text(required=True, allow_none=True)
    from_day = fields.Date(required=True, allow_none=True)
    cents = fields.Integer(required=True)


class HeldPlans(Page):
    items = fields.List(fields.Nested(HeldPlan), required=True)
