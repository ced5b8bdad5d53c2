"""Reduced prices: the groups that get one, and who has one by which proof."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import Day, StrictSchema, Text
from coworking.api.schemas.common import Page, Shown, text
from coworking.pricing.group_rules import MAX_PROOF


class ReducedGroup(Shown):
    """A group of people who pay less, while it is given to anybody new; ``people``: how many have it today."""

    id = text(required=True)
    name = text(required=True)
    people = fields.Integer(required=True)


class ReducedGroups(Page):
    items = fields.List(fields.Nested(ReducedGroup), required=True)


class NewReducedPrice(StrictSchema):
    """``proof``: what was seen, in a few words; the paper itself is never kept."""

    group_id = Text(required=True, metadata={"example": "k7mq2v9xw4tdz3hb"})
    valid_from = Day(required=True, metadata={"example": "2026-12-01"})
    valid_until = Day(required=True, metadata={"example": "2027-11-30"})
    proof = Text(most=MAX_PROOF, least=1, required=True, metadata={"example": "student card"})
    seen_on = Day(required=True, metadata={"example": "2026-11-24"})


class ReducedPrice(Shown):
    """Somebody pays the group's prices from ``valid_from`` to ``last_day``, both counted; ``seen_by``: who saw the proof."""

    id = text(required=True)
    group_id = text(required=True)
    group = text(required=True)
    valid_from = fields.Date(required=True)
    last_day = fields.Date(required=True)
    proof = text(required=True)
    seen_on = fields.Date(required=True)
    seen_by = text(required=True)


class ReducedPrices(Page):
    items = fields.List(fields.Nested(ReducedPrice), required=True)
