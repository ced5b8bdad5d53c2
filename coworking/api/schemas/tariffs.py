"""Tariffs: dated prices of desks, rooms and offices."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from coworking.api.fields import TWICE, Day, ListOf, Number, OneOf, StrictSchema, Text
from coworking.api.schemas.common import KINDS, Page, Shown, choice, text
from coworking.core.errors import N_
from coworking.pricing.rules import BASES, MAX_CENTS

ONE_OF_BOTH = N_("Name either a kind or one resource.")
_MOST_PRICES = 500


class TariffPriceTerms(StrictSchema):
    """Of every resource of a ``kind``, or of the one with ``resource_id``. ``cents``: of half a day at a desk, of an hour of
    anything else. ``day_cents``: of a whole day at a desk, where that is less than twice the half-day."""

    kind = OneOf(*KINDS)
    resource_id = Text(metadata={"example": "k7mq2v9xw4tdz3hb"})
    cents = Number(0, MAX_CENTS, required=True, metadata={"example": 1000})
    day_cents = Number(0, 2 * MAX_CENTS, metadata={"example": 1800})

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_options: Any) -> None:
        if ("kind" in data) == ("resource_id" in data):
            raise ValidationError(ONE_OF_BOTH, "resource_id")


class NewTariff(StrictSchema):
    """``basis``: whether the prices hold the VAT (``ttc``) or not (``ht``); ``vat_rate_bp`` in basis points, 2000 is 20 %.
    Both count only where the lieu charges VAT."""

    valid_from = Day(required=True, metadata={"example": "2026-12-01"})
    basis = OneOf(*BASES, load_default="ttc")
    vat_rate_bp = Number(0, 10000, required=True, metadata={"example": 2000})
    prices = ListOf(TariffPriceTerms, 0, _MOST_PRICES, required=True)

    @validates_schema
    def _each_once(self, data: dict[str, Any], **_options: Any) -> None:
        named = [(row.get("kind"), row.get("resource_id")) for row in data.get("prices", ())]
        if len(set(named)) != len(named):
            raise ValidationError(TWICE, "prices")


class PublishedPrice(Shown):
    kind = choice(*KINDS)
    resource_id = text(required=True, allow_none=True)
    unit = choice("half_day", "hour")
    cents = fields.Integer(required=True)
    day_cents = fields.Integer(required=True, allow_none=True)


class PublishedTariff(Shown):
    """Prices from ``valid_from`` until the next tariff; ``resource_id`` null: of every one of the ``kind``."""

    id = text(required=True)
    valid_from = fields.Date(required=True)
    basis = choice(*BASES)
    vat_rate_bp = fields.Integer(required=True)
    prices = fields.List(fields.Nested(PublishedPrice), required=True)


class PublishedTariffs(Page):
    items = fields.List(fields.Nested(PublishedTariff), required=True)


class ConcernedQuery(StrictSchema):
    valid_from = Day(required=True, metadata={"example": "2026-12-01"})


class WhomItConcerns(Shown):
    """``booked``: half-days and rooms that are booked from that day on and keep their price. ``people``: how many paid by
    the tariff in the last 90 days, themselves. ``organisations``: the names of those that did."""

    booked = fields.Integer(required=True)
    people = fields.Integer(required=True)
    organisations = fields.List(fields.String(), required=True)


class RemovedTariff(Shown):
    id = text(required=True)
