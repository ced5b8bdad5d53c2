"""The lieu, what can be booked there, and when it is free."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import OneOf, StrictSchema
from coworking.api.schemas.common import KINDS, Page, Shown, SpanQuery, instant, text


class KindQuery(StrictSchema):
    kind = OneOf(*KINDS)


class AvailabilityQuery(SpanQuery):
    kind = OneOf(*KINDS)


class Zone(Shown):
    id = text(required=True)
    name = text(required=True)


class Lieu(Shown):
    id = text(required=True, metadata={"format": "uuid"})
    name = text(required=True)
    address = text(required=True)
    postcode = text(required=True)
    city = text(required=True)
    timezone = text(required=True, metadata={"example": "Europe/Paris"})
    currency = text(required=True, metadata={"example": "EUR"})
    email = text(required=True, allow_none=True)
    phone = text(required=True, allow_none=True)
    website = text(required=True, allow_none=True)
    horizon_days = fields.Integer(required=True)
    zones = fields.List(fields.Nested(Zone), required=True)


class Resource(Shown):
    id = text(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    name = text(required=True)
    seats = fields.Integer(required=True)
    zone_id = text(required=True)
    buffer_after_minutes = fields.Integer(required=True)
    description = text(required=True, allow_none=True)
    in_service_from = fields.String(required=True, metadata={"format": "date"})
    in_service_until = fields.String(required=True, allow_none=True, metadata={"format": "date"})


class Resources(Page):
    items = fields.List(fields.Nested(Resource), required=True)


class Free(Shown):
    """Time that can be booked. ``half`` is ``am`` or ``pm`` for desks and null for rooms."""

    starts_at = instant(required=True)
    ends_at = instant(required=True)
    half = fields.String(required=True, allow_none=True)


class Availability(Shown):
    resource_id = text(required=True)
    name = text(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    zone_id = text(required=True)
    free = fields.List(fields.Nested(Free), required=True)


class ClosedDay(Shown):
    """A local date on which the lieu is closed, wholly or in part. ``code`` is that of the refusal a booking would meet."""

    day = fields.String(required=True, metadata={"format": "date"})
    code = text(required=True, metadata={"example": "on_holiday"})
    reason = text(required=True)


class Availabilities(Page):
    """``closed``: the days that are not fully open, or not yet open for booking."""

    items = fields.List(fields.Nested(Availability), required=True)
    closed = fields.List(fields.Nested(ClosedDay), required=True)
