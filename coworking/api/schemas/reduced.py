"""Reduced prices: the groups that get one, what they get from which day on, and who has one by which proof."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from coworking.api.fields import TWICE, Day, ListOf, Number, OneOf, StrictSchema, Text
from coworking.api.schemas.common import Page, Shown, choice, text
from coworking.core.errors import N_
from coworking.pricing.group_rules import MAX_NAME, MAX_PROOF, REDUCED_KINDS, PercentageOnly
from coworking.pricing.rules import MAX_CENTS

ONE_REDUCTION = N_("Say either a percentage off or a price.")
ONE_OF_ITS_KIND = N_("Name a plan only of the kind plan, a pack only of the kind pack.")
_MOST_REDUCTIONS = 200


class ReducedGroup(Shown):
    """A group of people who pay less, while it is given to anybody new; ``people``: how many have it today."""

    id = text(required=True)
    name = text(required=True)
    people = fields.Integer(required=True)


class ReducedGroups(Page):
    items = fields.List(fields.Nested(ReducedGroup), required=True)


class NewPriceGroup(StrictSchema):
    """``name`` says who pays less. It stands on invoices and never changes."""

    name = Text(most=MAX_NAME, least=1, required=True, metadata={"example": "student"})


class ReductionTerms(StrictSchema):
    """``percent_bp`` off in basis points, 5000 is 50 %, or a price of its own in ``cents``. Of all plans or packs only a
    percentage; ``plan_id`` or ``offer_id`` names one of them."""

    kind = OneOf(*REDUCED_KINDS, required=True, metadata={"example": "desk"})
    plan_id = Text()
    offer_id = Text()
    percent_bp = Number(1, 10000, metadata={"example": 5000})
    cents = Number(0, MAX_CENTS)

    @validates_schema
    def _is_one(self, data: dict[str, Any], **_options: Any) -> None:
        if ("percent_bp" in data) == ("cents" in data):
            raise ValidationError(ONE_REDUCTION, "percent_bp")
        for name, kind in (("plan_id", "plan"), ("offer_id", "pack")):
            if name in data and data.get("kind") != kind:
                raise ValidationError(ONE_OF_ITS_KIND, name)
        if data.get("kind") in ("plan", "pack") and "cents" in data and not data.keys() & {"plan_id", "offer_id"}:
            raise ValidationError(PercentageOnly.message, "cents")


class NewGroupPrices(StrictSchema):
    valid_from = Day(required=True, metadata={"example": "2026-12-01"})
    reductions = ListOf(ReductionTerms, 0, _MOST_REDUCTIONS, required=True)

    @validates_schema
    def _each_once(self, data: dict[str, Any], **_options: Any) -> None:
        named = [(row.get("kind"), row.get("plan_id"), row.get("offer_id")) for row in data.get("reductions", ())]
        if len(set(named)) != len(named):
            raise ValidationError(TWICE, "reductions")


class ShownReduction(Shown):
    """``plan_id`` and ``offer_id`` null: of every one of the ``kind``. One of ``percent_bp`` and ``cents`` is null."""

    kind = choice(*REDUCED_KINDS)
    plan_id = text(required=True, allow_none=True)
    offer_id = text(required=True, allow_none=True)
    percent_bp = fields.Integer(required=True, allow_none=True)
    cents = fields.Integer(required=True, allow_none=True)


class DatedReductions(Shown):
    id = text(required=True)
    valid_from = fields.Date(required=True)
    reductions = fields.List(fields.Nested(ShownReduction), required=True)


class PricedGroup(Shown):
    """``is_open``: it is given to people who do not have it yet; ``people``: how many have it today. ``prices``: each from
    its day on until the next, the latest first; what is not named costs the full price."""

    id = text(required=True)
    name = text(required=True)
    is_open = fields.Boolean(required=True)
    people = fields.Integer(required=True)
    prices = fields.List(fields.Nested(DatedReductions), required=True)


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
