"""Desks and offices that are assigned to residents."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import Day, Number, OneOf, StrictSchema, Text, Truth
from coworking.api.schemas.allowances import MOST_CENTS
from coworking.api.schemas.common import Page, Shown, choice, text
from coworking.residents.rules import MIN_MONTHS, NOTICE_MONTHS


class NewAssignment(StrictSchema):
    """To one of ``person_id`` and ``organisation_id``. ``is_prorata``: a part of a month costs by its days."""

    resource_id = Text(required=True, metadata={"example": "k7mq2v9xw4tdz3hb"})
    person_id = Text(metadata={"example": "p3mq2v9xw4tdz3hb"})
    organisation_id = Text()
    first_day = Day(required=True, metadata={"example": "2026-12-01"})
    last_day = Day(allow_none=True, load_default=None)
    monthly_cents = Number(0, MOST_CENTS, required=True, metadata={"example": 30000})
    basis = OneOf("ttc", "ht", load_default="ttc")
    vat_rate_bp = Number(0, 10000, load_default=0)
    is_prorata = Truth(load_default=True)
    min_months = Number(MIN_MONTHS[0], MIN_MONTHS[-1], allow_none=True, load_default=None)
    notice_months = Number(NOTICE_MONTHS[0], NOTICE_MONTHS[-1], load_default=1)


class NewEnd(StrictSchema):
    """``let_off``: of what is left of the minimum term and the notice."""

    last_day = Day(required=True, metadata={"example": "2026-12-31"})
    let_off = Truth(load_default=False)


class MovedPlace(StrictSchema):
    """Another desk or office, from ``first_day`` on."""

    resource_id = Text(required=True, metadata={"example": "k7mq2v9xw4tdz3hb"})
    first_day = Day(required=True, metadata={"example": "2026-12-10"})


class PlaceConflict(Shown):
    """Somebody else has the place: the booking with this id, or another resident or a block (null). ``last_day`` null: it
    goes on."""

    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True, allow_none=True)
    booking_id = text(required=True, allow_none=True)


class PlaceMove(Shown):
    """``conflicts``: who is in the way; ``free_from``: the first day from which nobody is (null: none is, or there is no
    such day)."""

    resource_id = text(required=True)
    resource = text(required=True)
    first_day = fields.Date(required=True)
    conflicts = fields.List(fields.Nested(PlaceConflict), required=True)
    free_from = fields.Date(required=True, allow_none=True)


class AssignedStep(Shown):
    resource_id = text(required=True)
    resource = text(required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True, allow_none=True)


class Assignment(Shown):
    """``places``: which desk or office it is, one after the other. ``monthly_cents`` hold the VAT. ``last_day`` null: it
    goes on. ``bound_until``: the last day of its minimum term."""

    id = text(required=True)
    state = choice("to_come", "in_force", "over", "taken_back")
    person_id = text(required=True, allow_none=True)
    organisation_id = text(required=True, allow_none=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True, allow_none=True)
    bound_until = fields.Date(required=True, allow_none=True)
    notice_months = fields.Integer(required=True)
    monthly_cents = fields.Integer(required=True)
    is_prorata = fields.Boolean(required=True)
    places = fields.List(fields.Nested(AssignedStep), required=True)


class Assignments(Page):
    items = fields.List(fields.Nested(Assignment), required=True)
