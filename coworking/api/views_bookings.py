"""Bookings: make, read, move, cancel and check in."""

from __future__ import annotations

from typing import Any

from coworking.api import openapi, queries, render
from coworking.api.idempotency import idempotent
from coworking.api.pages import asked_span, blueprint
from coworking.api.render import Json
from coworking.api.schemas.bookings import (
    Booking,
    Bookings,
    BookingsQuery,
    Cancelling,
    Destination,
    MoveOffer,
    Moving,
    NewBooking,
)
from coworking.booking import move_offers, services
from coworking.booking import queries as bookings
from coworking.booking.access import sees_price
from coworking.booking.moving import Agreed
from coworking.booking.placing import Request, RequestedItem
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, current_actor, requires
from coworking.core.timespan import Span
from coworking.presence import services as presence
from coworking.spaces import queries as spaces

MOST_DAYS = 366
"""How long a time is asked about at once."""


def _booking(actor: Actor, public_id: str) -> Json:
    return render.booking(bookings.booking_for(actor, public_id), actor)


@blueprint.post("/bookings")
@requires(scope="bookings:write")
@blueprint.input(NewBooking(), example=openapi.NEW_BOOKING)
@blueprint.output(Booking(), status_code=201)
@idempotent(_booking)
def book(json_data: dict[str, Any]) -> Json:
    """Book one or several resources, all or nothing

    Desks take every half-day that the time touches; rooms take the time itself, over midnight too where the lieu stays
    open, for 24 hours at most. Give exactly one of `resource_id`,
    `kind` (any free one, narrowed by `zone_id`) and `items`. Staff may book for someone with `person_id`.
    `payer` chooses who pays: `me` or `employer`. One person takes one desk and one room at a time, unless staff send
    `several_places`. Where the lieu asks people to pay first, what one books for oneself is `held`: `checkout` it before
    `held_until`.
    """
    wanted = json_data.get("items") or [json_data]
    items = tuple(RequestedItem(want.get("resource_id"), want.get("kind"), want.get("zone_id")) for want in wanted)
    _check_zones(items)
    asked = Request(
        span=Span(json_data["starts_at"], json_data["ends_at"]),
        items=items,
        person=json_data.get("person_id"),
        title=json_data.get("title") or None,
        guests=json_data["guests"],
        source="api",
        payer=json_data.get("payer"),
        several_places=json_data["several_places"],
    )
    return render.booking(services.book(current_actor(), asked), current_actor())


@blueprint.get("/bookings")
@requires(scope="bookings:read")
@blueprint.input(BookingsQuery(), location="query", unknown=None)
@blueprint.output(Bookings())
def list_bookings(query_data: dict[str, Any]) -> Json:
    """Bookings that begin between `from` and `to`, cancelled ones too

    One's own; staff see everyone's, or one person's with `person_id`. At most 366 days at once.
    """
    rows, following = queries.bookings(
        current_actor(),
        asked_span(query_data, MOST_DAYS),
        person=query_data.get("person_id"),
        cursor=query_data.get("cursor"),
        limit=query_data["limit"],
    )
    return {"items": [render.booking(row, current_actor()) for row in rows], "next": following}


@blueprint.get("/bookings/<booking_id>")
@requires(scope="bookings:read")
@blueprint.output(Booking())
def booking(booking_id: str) -> Json:
    """One booking"""
    return _booking(current_actor(), booking_id)


@blueprint.post("/bookings/<booking_id>/cancel")
@requires(scope="bookings:write")
@blueprint.input(Cancelling(), example={})
@blueprint.output(Booking())
@idempotent(_booking)
def cancel(booking_id: str, json_data: dict[str, Any]) -> Json:
    """Cancel a booking; twice is fine

    Free of charge until the booking's `cancel_free_until`; afterwards it counts as used. Staff send `mistake` for what
    they had booked wrongly: nobody owes it.
    """
    services.cancel(current_actor(), booking_id, mistake=json_data["mistake"])
    return _booking(current_actor(), booking_id)


@blueprint.get("/bookings/<booking_id>/move")
@requires(scope="bookings:read")
@blueprint.input(Destination(), location="query", unknown=None)
@blueprint.output(MoveOffer())
def preview_move(booking_id: str, query_data: dict[str, Any]) -> Json:
    """What moving a booking would cost, beside what it costs now

    Nothing is changed. Refused as the move itself would be: `claim_conflict`, `late_move`, `several_places`…
    """
    actor = current_actor()
    row = bookings.booking_for(actor, booking_id)
    found = move_offers.offer(actor, row, _span(query_data) or row.span, query_data.get("resource_id"))
    return render.move_offer(found, told=sees_price(actor, row))


@blueprint.post("/bookings/<booking_id>/move")
@requires(scope="bookings:write")
@blueprint.input(Moving(), example=openapi.MOVING)
@blueprint.output(Booking())
@idempotent(_booking)
def move(booking_id: str, json_data: dict[str, Any]) -> Json:
    """Move a booking to another resource, another time, or both

    It keeps its id and its payer; its price is decided anew. With `agreed_cents`, which its person and managers may send,
    it is moved at that price or not at all: `price_changed`. `undo_move_until` says until when the move can be undone.
    """
    actor, cents = current_actor(), json_data.get("agreed_cents")
    if cents is not None and not sees_price(actor, bookings.booking_for(actor, booking_id)):
        raise Forbidden(field="agreed_cents")
    services.move(actor, booking_id, span=_span(json_data), resource=json_data.get("resource_id"), agreed=Agreed(cents))
    return _booking(actor, booking_id)


@blueprint.post("/bookings/<booking_id>/undo-move")
@requires(scope="bookings:write")
@blueprint.output(Booking())
@idempotent(_booking)
def undo_move(booking_id: str) -> Json:
    """Undo a booking's last move; twice is fine

    It gets its former place, time and price, until its `undo_move_until`. 409 `claim_conflict` where someone else has the
    place by now, `undo_changes_price` where what covered it has gone to another booking: it stays where it is.
    """
    services.undo_move(current_actor(), booking_id)
    return _booking(current_actor(), booking_id)


@blueprint.post("/bookings/<booking_id>/check-in")
@requires(scope="presences:write")
@blueprint.output(Booking())
@idempotent(_booking)
def check_in(booking_id: str) -> Json:
    """The person of this booking is here, on a day of it; twice is fine"""
    presence.check_in(current_actor(), booking_id)
    return _booking(current_actor(), booking_id)


def _span(data: dict[str, Any]) -> Span | None:
    """``starts_at`` and ``ends_at`` where they are given."""
    return Span(data["starts_at"], data["ends_at"]) if "starts_at" in data else None


def _check_zones(items: tuple[RequestedItem, ...]) -> None:
    """Refuse an unknown zone, instead of answering that nothing is free there."""
    wanted = {item.zone for item in items if item.zone is not None}
    if wanted and not wanted <= {zone.public_id for zone in spaces.zones()}:
        raise NotFound(field="zone_id")
