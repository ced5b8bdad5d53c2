"""Plans, packs and articles as managers offer them."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from coworking.api.fields import Day, Number, OneOf, StrictSchema, Text, Truth
from coworking.api.schemas.common import Shown, choice, text
from coworking.core.errors import N_
from coworking.membership.forms import MOST_HALFDAYS, MOST_UNITS
from coworking.membership.plan_rules import MIN_MONTHS, TAKEN_BY
from coworking.pricing.article_rules import ARTICLE_KINDS, MAX_LABEL
from coworking.pricing.rules import BASES, MAX_CENTS, UNITS

NOT_COUNTED = N_("Only what is counted can go over into the next month.")
WHICH_GROUP = N_("Say which group; a plan that is not for one names none.")
_MOST_MINUTES = MOST_UNITS * 60
_HOURS = N_("Time in rooms is in whole hours: a multiple of 60 minutes.")


class Taxed(StrictSchema):
    """Both count only where the lieu charges VAT: whether the price holds it (``ttc``) or not (``ht``), and its rate in
    basis points."""

    basis = OneOf(*BASES, load_default="ttc")
    vat_rate_bp = Number(0, 10000, required=True, metadata={"example": 2000})


class NewPlan(Taxed):
    """What is left out is not limited, or not given. ``room_minutes``: of rooms and offices in a month; ``rollover_…``:
    how much of what is not used goes over into the next month at most; ``trial_cents``: of a first month to try;
    ``is_prorata``: begun within a month, it counts and costs by the days that are left; ``taken_by``: who takes it by
    themselves (left out: anyone), the members of ``group_id`` where it says ``group``."""

    name = Text(most=80, least=1, required=True)
    monthly_cents = Number(0, MAX_CENTS, required=True, metadata={"example": 6000})
    halfdays_per_month = Number(1, MOST_HALFDAYS)
    room_minutes = Number(60, _MOST_MINUTES, metadata={"multipleOf": 60})
    rollover_halfdays = Number(1, MOST_HALFDAYS)
    rollover_minutes = Number(60, _MOST_MINUTES, metadata={"multipleOf": 60})
    min_months = Number(MIN_MONTHS[0], MIN_MONTHS[-1])
    trial_cents = Number(0, MAX_CENTS)
    is_prorata = Truth(load_default=False)
    taken_by = OneOf(*TAKEN_BY)
    group_id = Text()

    @validates_schema
    def _fits(self, data: dict[str, Any], **_options: Any) -> None:
        for over, counted in (("rollover_halfdays", "halfdays_per_month"), ("rollover_minutes", "room_minutes")):
            if data.get(over) is not None and data.get(counted) is None:
                raise ValidationError(NOT_COUNTED, over)
        for name in ("room_minutes", "rollover_minutes"):
            if (data.get(name) or 0) % 60:
                raise ValidationError(_HOURS, name)
        if (data.get("taken_by") == "group") != bool(data.get("group_id")):
            raise ValidationError(WHICH_GROUP, "group_id")


class SoldPlanInList(Shown):
    """A plan as it is offered; ``holders``: how many people have it this month or later."""

    id = text(required=True)
    name = text(required=True)
    is_open = fields.Boolean(required=True)
    holders = fields.Integer(required=True)
    monthly_cents = fields.Integer(required=True)
    basis = choice(*BASES)
    vat_rate_bp = fields.Integer(required=True)
    halfdays_per_month = fields.Integer(required=True, allow_none=True)
    room_minutes = fields.Integer(required=True, allow_none=True)
    rollover_halfdays = fields.Integer(required=True, allow_none=True)
    rollover_minutes = fields.Integer(required=True, allow_none=True)
    min_months = fields.Integer(required=True, allow_none=True)
    trial_cents = fields.Integer(required=True, allow_none=True)
    is_prorata = fields.Boolean(required=True)
    taken_by = choice(*TAKEN_BY)
    group_id = text(required=True, allow_none=True)


class SoldPlan(SoldPlanInList):
    """The same, by itself."""


class NewPackOffer(Taxed):
    """``units``: half-days, or minutes of rooms and offices where ``unit`` is ``hour``."""

    name = Text(most=80, least=1, required=True)
    unit = OneOf(*UNITS, required=True)
    units = Number(1, _MOST_MINUTES, required=True, metadata={"example": 10})
    cents = Number(0, MAX_CENTS, required=True, metadata={"example": 8000})
    valid_months = Number(1, 60, required=True, metadata={"example": 6})

    @validates_schema
    def _whole(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("unit") == "hour" and data.get("units", 0) % 60:
            raise ValidationError(_HOURS, "units")


class SoldPackInList(Shown):
    """A pack as it is offered; ``holders``: how many people have something left of it."""

    id = text(required=True)
    name = text(required=True)
    is_open = fields.Boolean(required=True)
    holders = fields.Integer(required=True)
    unit = choice(*UNITS)
    units = fields.Integer(required=True)
    cents = fields.Integer(required=True)
    basis = choice(*BASES)
    vat_rate_bp = fields.Integer(required=True)
    valid_months = fields.Integer(required=True)


class SoldPack(SoldPackInList):
    """The same, by itself."""


class ArticleTerms(StrictSchema):
    """``cents`` hold the VAT; ``account``: that of the accounting plan on which a sale is booked, left out the usual one."""

    cents = Number(1, MAX_CENTS, required=True, metadata={"example": 100})
    vat_rate_bp = Number(0, 10000, required=True, metadata={"example": 1000})
    account = Text(most=10, load_default="")


class NewArticle(ArticleTerms):
    """A ``deposit`` is given back: it has no VAT."""

    label = Text(most=MAX_LABEL, least=1, required=True)
    kind = OneOf(*ARTICLE_KINDS, required=True)


class NewArticlePrice(ArticleTerms):
    valid_from = Day(required=True, metadata={"example": "2026-12-01"})


class DatedArticlePrice(Shown):
    valid_from = fields.Date(required=True)
    cents = fields.Integer(required=True)
    vat_rate_bp = fields.Integer(required=True)
    account = text(required=True)


class SoldArticleInList(Shown):
    """``prices``: each from its day on until the next, the earliest first."""

    id = text(required=True)
    label = text(required=True)
    kind = choice(*ARTICLE_KINDS)
    is_open = fields.Boolean(required=True)
    prices = fields.List(fields.Nested(DatedArticlePrice), required=True)


class SoldArticle(SoldArticleInList):
    """The same, by itself."""


class EverythingSold(Shown):
    plans = fields.List(fields.Nested(SoldPlanInList), required=True)
    packs = fields.List(fields.Nested(SoldPackInList), required=True)
    articles = fields.List(fields.Nested(SoldArticleInList), required=True)
