"""Bookings and presences: the shapes of requests and of answers."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from coworking.api.fields import Instant, ListOf, Number, OneOf, StrictSchema, Text, Truth
from coworking.api.schemas.common import KINDS, Page, PageQuery, Shown, SpanQuery, choice, instant, text
from coworking.api.schemas.people import PersonRef
from coworking.core.errors import N_

MAX_ITEMS = 20
MAX_GUESTS = 500
MAX_TITLE = 120
MAX_CENTS = 999_999_999

ONE_WAY = N_("Give exactly one of resource_id, kind and items.")
BOTH_TIMES = N_("Give both starts_at and ends_at, or neither.")
NOWHERE = N_("Give resource_id, or starts_at and ends_at, or all of them.")
ZONE_ALONE = N_("A zone narrows a kind: give both.")


class BookingsQuery(SpanQuery, PageQuery):
    person_id = Text()


class Item(StrictSchema):
    """One thing wanted: a given resource, or any one of a kind (in a zone)."""

    resource_id = Text()
    kind = OneOf(*KINDS)
    zone_id = Text()

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_options: Any) -> None:
        if ("resource_id" in data) == ("kind" in data):
            raise ValidationError(ONE_WAY, "kind" if "kind" in data else "resource_id")
        _check_zone(data)


class NewBooking(StrictSchema):
    """Exactly one of ``resource_id``, ``kind`` and ``items``; all of it is booked, or nothing.

    ``payer``: without it the employer pays where its agreement covers, else the person. ``several_places``: staff state
    that the person takes more than one desk or room at a time, for guests; members always get one of each.
    """

    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    resource_id = Text()
    kind = OneOf(*KINDS)
    zone_id = Text()
    items = ListOf(Item, 1, MAX_ITEMS)
    title = Text(most=MAX_TITLE)
    guests = Number(0, MAX_GUESTS, load_default=0)
    person_id = Text()
    payer = OneOf("me", "employer")
    several_places = Truth(load_default=False)

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_options: Any) -> None:
        given = [name for name in ("resource_id", "kind", "items") if name in data]
        if len(given) != 1:
            raise ValidationError(ONE_WAY, given[-1] if given else "resource_id")
        _check_zone(data)


class Cancelling(StrictSchema):
    """``mistake``: staff had booked it by mistake, so that nobody owes anything, however late."""

    mistake = Truth(load_default=False)


class Destination(StrictSchema):
    """Where a booking is to move: to ``resource_id``, or another time, or both. What is not given stays."""

    resource_id = Text()
    starts_at = Instant(metadata={"example": "2026-11-26T14:00:00+01:00"})
    ends_at = Instant(metadata={"example": "2026-11-26T18:00:00+01:00"})

    @validates_schema
    def _somewhere(self, data: dict[str, Any], **_options: Any) -> None:
        if ("starts_at" in data) != ("ends_at" in data):
            raise ValidationError(BOTH_TIMES, "starts_at" if "ends_at" in data else "ends_at")
        if not data.keys() & {"resource_id", "starts_at"}:
            raise ValidationError(NOWHERE, "resource_id")


class Moving(Destination):
    """``agreed_cents``: what the preview said the person owes afterwards; at any other price nothing is moved."""

    agreed_cents = Number(0, MAX_CENTS)


class NewPresence(StrictSchema):
    person_id = Text()


def _check_zone(data: dict[str, Any]) -> None:
    if "zone_id" in data and "kind" not in data:
        raise ValidationError(ZONE_ALONE, "zone_id")


class Unit(Shown):
    """One desk for one half-day, or one room for its span. ``outcome``: pending, came, absent or unknown.

    The last eight are told to whose booking it is and to managers, and null for others and where nothing was quoted.
    ``cover``: what settles it; ``amount_cents``: what ``payer`` pays; ``rest_cents``: what the person pays of the same unit
    where the employer pays a part, else null; ``alone_cents``: what it costs without the other half of its day, where the
    day rate makes it cheaper, else null; ``price_group``: by whose reduced price; ``price_state``: live, kept (it was
    cancelled late and is still owed) or released (nothing is owed).
    """

    resource_id = text(required=True)
    resource_name = text(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    half = fields.String(required=True, allow_none=True)
    starts_at = instant(required=True)
    ends_at = instant(required=True)
    outcome = fields.String(required=True, metadata={"enum": ["pending", "came", "absent", "unknown"]})
    payer = choice("person", "employer")
    cover = choice("tariff", "subscription", "pack", "agreement", "share", "trial", "free")
    amount_cents = fields.Integer(required=True, allow_none=True)
    rest_cents = fields.Integer(required=True, allow_none=True)
    alone_cents = fields.Integer(required=True, allow_none=True)
    price_basis = choice("ttc", "ht")
    price_state = choice("live", "kept", "released")
    price_group = text(required=True, allow_none=True)


class Booking(Shown):
    """``undo_move_until``: until when its last move can be undone; null where there is none to undo.

    ``held``: it counts once it is paid, and is let go at ``held_until``; ``pay_url`` is the page on which its person pays
    (null for hosts, who see no money).
    """

    id = text(required=True)
    person = fields.Nested(PersonRef, required=True)
    starts_at = instant(required=True)
    ends_at = instant(required=True)
    status = fields.String(required=True, metadata={"enum": ["held", "confirmed", "cancelled"]})
    title = text(required=True, allow_none=True)
    guests = fields.Integer(required=True)
    source = fields.String(required=True)
    created_at = instant(required=True)
    cancelled_at = instant(required=True, allow_none=True)
    cancelled_because = choice("asked", "mistake", "closed", "retired", "left", "unpaid")
    cancelled_late = fields.Boolean(required=True)
    cancel_free_until = instant(required=True)
    undo_move_until = instant(required=True, allow_none=True)
    held_until = instant(required=True, allow_none=True)
    pay_url = text(required=True, allow_none=True)
    units = fields.List(fields.Nested(Unit), required=True)


class Bookings(Page):
    items = fields.List(fields.Nested(Booking), required=True)


class Price(Shown):
    """What a whole booking comes to: what the person owes, half-days of their plan, of their employer's and of a pack, and
    minutes of the plan and of a pack. ``employer_cents``: what the employer pays where the person pays the rest of the same
    units, else 0."""

    amount_cents = fields.Integer(required=True)
    price_basis = fields.String(required=True, metadata={"enum": ["ttc", "ht"]})
    plan_halfdays = fields.Integer(required=True)
    plan_minutes = fields.Integer(required=True)
    employer_halfdays = fields.Integer(required=True)
    employer_cents = fields.Integer(required=True)
    pack_halfdays = fields.Integer(required=True)
    pack_minutes = fields.Integer(required=True)
    price_group = text(required=True, allow_none=True)


class MoveOffer(Shown):
    """Where a booking would go, and its price now (``before``) and there (``after``): null for hosts, who see no money."""

    resource_id = text(required=True)
    resource_name = text(required=True)
    starts_at = instant(required=True)
    ends_at = instant(required=True)
    same_price = fields.Boolean(required=True)
    before = fields.Nested(Price, required=True, allow_none=True)
    after = fields.Nested(Price, required=True, allow_none=True)


class Presence(Shown):
    id = text(required=True)
    person = fields.Nested(PersonRef, required=True)
    booking_id = text(required=True, allow_none=True)
    arrived_at = instant(required=True)
    left_at = instant(required=True, allow_none=True)
    evidence = fields.String(required=True)
