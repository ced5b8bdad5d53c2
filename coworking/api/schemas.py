"""The shapes of what goes in and out. Times are RFC 3339 with an offset, ids opaque text, money integer cents."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from marshmallow import EXCLUDE, ValidationError, fields, validates_schema

from coworking.api.fields import Instant, ListOf, Month, Number, OneOf, StrictSchema, Text, Truth
from coworking.billing.rules import STATES as INVOICE_STATES
from coworking.core.errors import N_
from coworking.statistics.schema import STATUSES

KINDS = ("desk", "room", "office")
MAX_ITEMS = 20
MAX_PAGE = 200
MAX_GUESTS = 500
MAX_TITLE = 120

ONE_WAY = N_("Give exactly one of resource_id, kind and items.")
ZONE_ALONE = N_("A zone narrows a kind: give both.")


def _text(**options: Any) -> fields.String:
    return fields.String(**options)


def _instant(**options: Any) -> fields.String:
    """An instant already written in the lieu's offset."""
    return fields.String(metadata={"format": "date-time", "example": "2026-11-26T09:00:00+01:00"}, **options)


def _choice(*among: str) -> fields.String:
    """One of these, or null."""
    return fields.String(required=True, allow_none=True, metadata={"enum": [*among, None]})


# In -------------------------------------------------------------------------------------------------------------------


class KindQuery(StrictSchema):
    kind = OneOf(*KINDS)


class SpanQuery(StrictSchema):
    from_ = Instant(data_key="from", required=True, metadata={"example": "2026-11-26T00:00:00+01:00"})
    to = Instant(required=True, metadata={"example": "2026-11-27T00:00:00+01:00"})


class AvailabilityQuery(SpanQuery):
    kind = OneOf(*KINDS)


class PageQuery(StrictSchema):
    limit = Number(1, MAX_PAGE, load_default=50)
    cursor = Text(most=400)


class BookingsQuery(SpanQuery, PageQuery):
    person_id = Text()


class InvoicesQuery(PageQuery):
    month = Month(metadata={"example": "2026-10"})


class MonthQuery(StrictSchema):
    month = Month(required=True, metadata={"example": "2026-10"})


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


class NewPresence(StrictSchema):
    person_id = Text()


class NewPerson(StrictSchema):
    first_name = Text(most=80, required=True)
    last_name = Text(most=80, load_default="")
    email = Text(most=254, load_default="")
    phone = Text(most=32, load_default="")
    invite = Truth(load_default=False)


def _check_zone(data: dict[str, Any]) -> None:
    if "zone_id" in data and "kind" not in data:
        raise ValidationError(ZONE_ALONE, "zone_id")


# Out ------------------------------------------------------------------------------------------------------------------


class Shown(Schema):
    """An object that is only ever sent. Readers must expect further fields, so the description leaves it open."""

    class Meta:
        unknown = EXCLUDE


class Zone(Shown):
    id = _text(required=True)
    name = _text(required=True)


class Lieu(Shown):
    id = _text(required=True, metadata={"format": "uuid"})
    name = _text(required=True)
    address = _text(required=True)
    postcode = _text(required=True)
    city = _text(required=True)
    timezone = _text(required=True, metadata={"example": "Europe/Paris"})
    currency = _text(required=True, metadata={"example": "EUR"})
    email = _text(required=True, allow_none=True)
    phone = _text(required=True, allow_none=True)
    website = _text(required=True, allow_none=True)
    horizon_days = fields.Integer(required=True)
    zones = fields.List(fields.Nested(Zone), required=True)


class Resource(Shown):
    id = _text(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    name = _text(required=True)
    seats = fields.Integer(required=True)
    zone_id = _text(required=True)
    buffer_after_minutes = fields.Integer(required=True)
    description = _text(required=True, allow_none=True)
    in_service_from = fields.String(required=True, metadata={"format": "date"})
    in_service_until = fields.String(required=True, allow_none=True, metadata={"format": "date"})


class Free(Shown):
    """Time that can be booked. ``half`` is ``am`` or ``pm`` for desks and null for rooms."""

    starts_at = _instant(required=True)
    ends_at = _instant(required=True)
    half = fields.String(required=True, allow_none=True)


class Availability(Shown):
    resource_id = _text(required=True)
    name = _text(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    zone_id = _text(required=True)
    free = fields.List(fields.Nested(Free), required=True)


class ClosedDay(Shown):
    """A local date on which the lieu is closed, wholly or in part. ``code`` is that of the refusal a booking would meet."""

    day = fields.String(required=True, metadata={"format": "date"})
    code = _text(required=True, metadata={"example": "on_holiday"})
    reason = _text(required=True)


class PersonRef(Shown):
    id = _text(required=True)
    name = _text(required=True)


class Unit(Shown):
    """One desk for one half-day, or one room for its span. ``outcome``: pending, came, absent or unknown.

    The last five are told to whose booking it is and to managers, and null for others and where nothing was quoted.
    ``cover``: what settles it; ``price_state``: live, kept (given back late, still owed) or released (nothing is owed).
    """

    resource_id = _text(required=True)
    resource_name = _text(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    half = fields.String(required=True, allow_none=True)
    starts_at = _instant(required=True)
    ends_at = _instant(required=True)
    outcome = fields.String(required=True, metadata={"enum": ["pending", "came", "absent", "unknown"]})
    payer = _choice("person", "employer")
    cover = _choice("tariff", "subscription", "agreement", "free")
    amount_cents = fields.Integer(required=True, allow_none=True)
    price_basis = _choice("ttc", "ht")
    price_state = _choice("live", "kept", "released")


class Booking(Shown):
    id = _text(required=True)
    person = fields.Nested(PersonRef, required=True)
    starts_at = _instant(required=True)
    ends_at = _instant(required=True)
    status = fields.String(required=True, metadata={"enum": ["confirmed", "cancelled"]})
    title = _text(required=True, allow_none=True)
    guests = fields.Integer(required=True)
    source = fields.String(required=True)
    created_at = _instant(required=True)
    cancelled_at = _instant(required=True, allow_none=True)
    cancelled_because = _choice("asked", "mistake", "closed", "retired", "left")
    cancelled_late = fields.Boolean(required=True)
    cancel_free_until = _instant(required=True)
    units = fields.List(fields.Nested(Unit), required=True)


class Presence(Shown):
    id = _text(required=True)
    person = fields.Nested(PersonRef, required=True)
    booking_id = _text(required=True, allow_none=True)
    arrived_at = _instant(required=True)
    left_at = _instant(required=True, allow_none=True)
    evidence = fields.String(required=True)


class Person(Shown):
    id = _text(required=True)
    first_name = _text(required=True)
    last_name = _text(required=True)
    email = _text(required=True, allow_none=True)
    phone = _text(required=True, allow_none=True)
    created_at = _instant(required=True)


class Payer(Shown):
    kind = fields.String(required=True, metadata={"enum": ["person", "organisation"]})
    id = _text(required=True)
    name = _text(required=True)


class InvoiceLine(Shown):
    """``quantity`` of ``unit`` at ``unit_cents``; of an ``hour`` it counts the minutes."""

    label = _text(required=True)
    quantity = fields.Integer(required=True)
    unit = fields.String(required=True, metadata={"enum": ["half_day", "hour", "month", "year", "piece"]})
    unit_cents = fields.Integer(required=True)
    amount_cents = fields.Integer(required=True)
    vat_rate_bp = fields.Integer(required=True, metadata={"description": "Basis points: 2000 is 20 %."})


class InvoiceInList(Shown):
    """An issued invoice or credit note; it never changes. Amounts are integer cents, a credit note's negative.

    ``payable_cents`` = gross + rounding. ``state`` and ``open_cents`` say how it stands today.
    """

    id = _text(required=True)
    number = _text(required=True)
    kind = fields.String(required=True, metadata={"enum": ["invoice", "credit_note"]})
    corrects = _text(required=True, allow_none=True, metadata={"description": "The number of the invoice it undoes."})
    state = fields.String(required=True, metadata={"enum": list(INVOICE_STATES)})
    payer = fields.Nested(Payer, required=True)
    month = _text(required=True, metadata={"example": "2026-10"})
    issued_on = fields.String(required=True, metadata={"format": "date"})
    due_on = fields.String(required=True, metadata={"format": "date"})
    currency = _text(required=True)
    price_basis = fields.String(required=True, metadata={"enum": ["ttc", "ht"]})
    net_cents = fields.Integer(required=True)
    vat_cents = fields.Integer(required=True)
    gross_cents = fields.Integer(required=True)
    rounding_cents = fields.Integer(required=True)
    payable_cents = fields.Integer(required=True)
    paid_cents = fields.Integer(required=True)
    open_cents = fields.Integer(required=True)


class Invoice(InvoiceInList):
    """The same with its lines."""

    lines = fields.List(fields.Nested(InvoiceLine), required=True)


class MonthlyReturn(Shown):
    """A ``monthly-return/1``: the highest revision of a closed month. ``figures_sha256`` is that of the RFC 8785 bytes.

    Every figure may be null; ``figures.null_reasons`` then says why.
    """

    schema = _text(required=True, metadata={"example": "monthly-return/1"})
    lieu_id = _text(required=True, metadata={"format": "uuid"})
    siret = _text(required=True, allow_none=True)
    name = _text(required=True)
    code_insee = _text(required=True, allow_none=True)
    month = _text(required=True, metadata={"example": "2026-10"})
    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    revision = fields.Integer(required=True)
    reason = _text(required=True, allow_none=True)
    generated_at = _instant(required=True)
    software_version = _text(required=True)
    figures_sha256 = _text(required=True)
    figures = fields.Dict(keys=fields.String(), required=True)


class ReturnReceipt(Shown):
    """A revision is here. ``ack`` is the head's signature of that: a compact JWS of the same, its ids and the instant."""

    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    month = _text(required=True, metadata={"example": "2026-10"})
    revision = fields.Integer(required=True)
    digest = _text(required=True)
    ack = _text(required=True)


class NetworkMember(Shown):
    """A lieu of the network: ``id`` is its UUID, None where it has none."""

    id = _text(required=True, allow_none=True, metadata={"format": "uuid"})
    name = _text(required=True)
    city = _text(required=True, allow_none=True)
    code_insee = _text(required=True, allow_none=True)


class ReturnDoubt(Shown):
    """Why a figure is improbable: its value, and the usual one or the bound that it was measured by."""

    code = _text(required=True)
    field = _text(required=True)
    value = fields.Integer(required=True)
    usual = fields.Integer(required=True)


class NetworkReturn(Shown):
    """The highest revision of one lieu's month. ``way``: ``software`` (signed) or ``link`` (six figures typed in).

    ``set_aside``: why the network head leaves it out of ``aggregate``; null: it counts.
    """

    lieu = fields.Nested(NetworkMember, required=True)
    month = _text(required=True)
    revision = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    reason = _text(required=True, allow_none=True)
    digest = _text(required=True)
    way = fields.String(required=True, metadata={"enum": ["software", "link"]})
    received_at = _instant(required=True)
    doubts = fields.List(fields.Nested(ReturnDoubt), required=True)
    set_aside = _text(required=True, allow_none=True)
    figures = fields.Dict(keys=fields.String(), required=True)


class _Page(Shown):
    next = _text(required=True, allow_none=True, metadata={"description": "The cursor of the next page, or null."})


class Resources(_Page):
    items = fields.List(fields.Nested(Resource), required=True)


class Availabilities(_Page):
    """``closed``: the days that are not fully open, or not yet open for booking."""

    items = fields.List(fields.Nested(Availability), required=True)
    closed = fields.List(fields.Nested(ClosedDay), required=True)


class Bookings(_Page):
    items = fields.List(fields.Nested(Booking), required=True)


class People(_Page):
    items = fields.List(fields.Nested(Person), required=True)


class NetworkReturns(_Page):
    """``aggregate`` is the network's own ``network-return/1``: members, sums, numerators and denominators.

    ``missing``: lieux whose figures of the month are awaited and not here.
    """

    items = fields.List(fields.Nested(NetworkReturn), required=True)
    missing = fields.Integer(required=True)
    aggregate = fields.Dict(keys=fields.String(), required=True)


class Invoices(_Page):
    items = fields.List(fields.Nested(InvoiceInList), required=True)
