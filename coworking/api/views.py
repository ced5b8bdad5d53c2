"""``/api/v1``: HTTP in, services, JSON out. Bearer tokens only; each endpoint names the scope it wants."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint, FileSchema
from apiflask.exceptions import HTTPError
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from coworking.accounts import queries as accounts
from coworking.accounts import staff
from coworking.api import openapi, problems, queries, render
from coworking.api.idempotency import idempotent
from coworking.api.problems import signed_body
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
    NewPresence,
    Presence,
)
from coworking.api.schemas.common import MonthQuery, PageQuery
from coworking.api.schemas.invoices import Invoice, Invoices, InvoicesQuery
from coworking.api.schemas.lieu import Availabilities, AvailabilityQuery, KindQuery, Lieu, Resources
from coworking.api.schemas.people import NewPerson, People, Person
from coworking.api.schemas.returns import MonthlyReturn, NetworkReturns, ReturnReceipt
from coworking.billing import papers
from coworking.billing import queries as billing
from coworking.booking import move_offers, services
from coworking.booking import queries as bookings
from coworking.booking.access import sees_price
from coworking.booking.moving import Agreed
from coworking.booking.placing import Request, RequestedItem
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, Role, current_actor, public, requires
from coworking.core.timespan import EndsBeforeStart, Span
from coworking.network.head import queries as network
from coworking.network.head import receiving
from coworking.presence import services as presence
from coworking.spaces import queries as spaces
from coworking.statistics import queries as returns
from coworking.statistics.envelope import envelope

MOST_AVAILABILITY_DAYS = 31
MOST_BOOKING_DAYS = 366

blueprint = APIBlueprint("api", __name__, url_prefix="/api/v1")
blueprint.csrf_exempt = True  # type: ignore[attr-defined] - cookies do not open the API, so there is nothing to forge
blueprint.before_request(problems.check_body)
blueprint.register_error_handler(HTTPError, problems.invalid)
blueprint.record_once(openapi.configure)


@blueprint.after_request
def challenge(response: Response) -> Response:
    """Say which credentials are wanted (RFC 6750)."""
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def _booking(actor: Actor, public_id: str) -> Json:
    return render.booking(bookings.booking_for(actor, public_id), actor)


def _presence(actor: Actor, public_id: str) -> Json:
    return render.presence(queries.presence_for(actor, public_id))


def _person(_actor: Actor, public_id: str) -> Json:
    return render.person(accounts.person_by_public_id(public_id))


@blueprint.get("/openapi.json")
@public
@blueprint.doc(hide=True)
def document() -> ResponseReturnValue:
    return jsonify(openapi.document())


@blueprint.get("/lieu")
@requires(scope="lieu:read")
@blueprint.output(Lieu())
def lieu() -> Json:
    """The lieu: its address, time zone and zones"""
    return render.lieu(spaces.lieu(), spaces.zones())


@blueprint.get("/resources")
@requires(scope="lieu:read")
@blueprint.input(KindQuery(), location="query", unknown=None)
@blueprint.output(Resources())
def resources(query_data: dict[str, Any]) -> Json:
    """Desks, rooms and offices that are in service or will be"""
    today = spaces.today()
    rows = spaces.resources(kind=query_data.get("kind"))
    kept = [row for row in rows if row.in_service_until is None or row.in_service_until >= today]
    return {"items": [render.resource(row) for row in kept], "next": None}


@blueprint.get("/availability")
@requires(scope="lieu:read")
@blueprint.input(AvailabilityQuery(), location="query", unknown=None)
@blueprint.output(Availabilities())
def availability(query_data: dict[str, Any]) -> Json:
    """What can still be booked

    Per resource the free time between `from` and `to`, at most 31 days: desks by half-day, rooms by open time. `closed`
    says which days are not fully open, and why.
    """
    span = _asked(query_data, MOST_AVAILABILITY_DAYS)
    found = queries.availability(span, query_data.get("kind"))
    return {
        "items": render.availability(found.free),
        "closed": [render.closed_day(day, refusal) for day, refusal in found.closed],
        "next": None,
    }


@blueprint.post("/bookings")
@requires(scope="bookings:write")
@blueprint.input(NewBooking(), example=openapi.NEW_BOOKING)
@blueprint.output(Booking(), status_code=201)
@idempotent(_booking)
def book(json_data: dict[str, Any]) -> Json:
    """Book one or several resources, all or nothing

    Desks take every half-day that the time touches; rooms take the time itself. Give exactly one of `resource_id`,
    `kind` (any free one, narrowed by `zone_id`) and `items`. Staff may book for someone with `person_id`.
    `payer` chooses who pays: `me` or `employer`. One person takes one desk and one room at a time, unless staff send
    `several_places`.
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
        _asked(query_data, MOST_BOOKING_DAYS),
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
    """The person of this booking is here, today; twice is fine"""
    presence.check_in(current_actor(), booking_id)
    return _booking(current_actor(), booking_id)


@blueprint.post("/presences")
@requires(scope="presences:write")
@blueprint.input(NewPresence(), example={})
@blueprint.output(Presence(), status_code=201)
@idempotent(_presence)
def arrive(json_data: dict[str, Any]) -> Json:
    """Someone is here: oneself, or as staff anyone with `person_id`

    Twice is fine. Without a booking a free desk is taken for the half-day; where none is free, the presence alone is kept.
    """
    arrival = presence.arrive(current_actor(), person=json_data.get("person_id"))
    return _presence(current_actor(), arrival.presence.public_id)


@blueprint.post("/people")
@requires(Role.HOST, scope="people:write")
@blueprint.input(NewPerson(), example=openapi.NEW_PERSON)
@blueprint.output(Person(), status_code=201)
@idempotent(_person)
def add_person(json_data: dict[str, Any]) -> Json:
    """Add a person (staff); `invite` writes to them"""
    return render.person(staff.create_person(current_actor(), **json_data))


@blueprint.get("/people")
@requires(Role.HOST, scope="people:read")
@blueprint.input(PageQuery(), location="query", unknown=None)
@blueprint.output(People())
def people(query_data: dict[str, Any]) -> Json:
    """People with an active account, oldest first (staff)"""
    cursor = query_data.get("cursor")
    try:
        last = str(queries.decode_cursor(cursor, str)[0]) if cursor is not None else None
        rows, following = accounts.people_after(last, query_data["limit"])
    except NotFound as error:
        raise queries.InvalidCursor() from error
    return {
        "items": [render.person(row) for row in rows],
        "next": queries.encode_cursor(following) if following is not None else None,
    }


@blueprint.get("/statistics/monthly")
@requires(Role.MANAGER, Role.ACCOUNTANT, Role.LEAD, scope="statistics:read")
@blueprint.input(MonthQuery(), location="query", unknown=None)
@blueprint.output(MonthlyReturn())
def monthly_statistics(query_data: dict[str, Any]) -> Json:
    """A closed month's figures

    The highest revision, as it was sent: the same document whenever it is asked for. 404 `month_not_closed` before that.
    """
    return envelope(returns.closed(query_data["month"]))


@blueprint.post("/network/returns")
@public
@blueprint.output(ReturnReceipt())
def receive_return() -> tuple[Json, int]:
    """A lieu's signed monthly return, at its network head

    The body is a compact JWS of `{"aud", "iat", "return"}` by the key the lieu enrolled with. 201 when it is new, 200 when
    this revision was here already; 409 `revision_conflict` names the highest one that is.
    """
    receipt = receiving.receive(signed_body(), address=request.remote_addr)
    return receipt.document, 201 if receipt.is_new else 200


@blueprint.get("/network/returns")
@requires(Role.LEAD, scope="returns:read")
@blueprint.input(MonthQuery(), location="query", unknown=None)
@blueprint.output(NetworkReturns())
def network_returns(query_data: dict[str, Any]) -> Json:
    """What the network's lieux reported of a month, and what it adds up to

    The highest revision of each. One that the lead set aside says why in `set_aside` and is no part of `aggregate`;
    `doubts` is what was improbable in a return when it came. Rates in `aggregate` are sums of numerators over sums of
    denominators; a lieu that does not know is left out of both. People are never added: they may come to several lieux.
    """
    month = query_data["month"]
    return render.network_returns(spaces.lieu().uuid, month, network.network_month(month))


@blueprint.get("/invoices/<invoice_id>")
@requires(scope="invoices:read")
@blueprint.output(Invoice())
def invoice(invoice_id: str) -> Json:
    """One invoice or credit note"""
    return render.invoice(billing.standing_for(current_actor(), invoice_id))


@blueprint.get("/invoices")
@requires(scope="invoices:read")
@blueprint.input(InvoicesQuery(), location="query", unknown=None)
@blueprint.output(Invoices())
def list_invoices(query_data: dict[str, Any]) -> Json:
    """Issued invoices and credit notes, the latest first

    One's own and those of an organisation whose contact one is; managers and accountants read all of them.
    """
    cursor = query_data.get("cursor")
    try:
        last = str(queries.decode_cursor(cursor, str)[0]) if cursor is not None else None
        rows, following = billing.documents(
            current_actor(),
            billing.Filters(month=query_data.get("month")),
            after=last,
            limit=query_data["limit"],
        )
    except NotFound as error:
        raise queries.InvalidCursor() from error
    return {
        "items": [render.invoice(row) for row in rows],
        "next": queries.encode_cursor(following) if following is not None else None,
    }


@blueprint.get("/invoices/<invoice_id>.pdf")
@requires(scope="invoices:read")
@blueprint.output(FileSchema(type="string", format="binary"), content_type="application/pdf")
def invoice_pdf(invoice_id: str) -> Response:
    """The paper of an invoice or credit note

    The same bytes whenever it is asked for. 503 `papers_unavailable` where the server cannot make papers.
    """
    row = billing.standing_for(current_actor(), invoice_id).invoice
    return Response(papers.paper(row), mimetype="application/pdf")


def _span(data: dict[str, Any]) -> Span | None:
    """``starts_at`` and ``ends_at`` where they are given."""
    return Span(data["starts_at"], data["ends_at"]) if "starts_at" in data else None


def _asked(query: dict[str, Any], most_days: int) -> Span:
    """``from`` and ``to`` as a span of at most ``most_days`` days."""
    try:
        span = Span(query["from_"], query["to"])
    except EndsBeforeStart as error:
        raise EndsBeforeStart(field="to") from error
    queries.check_range(span, most_days)
    return span


def _check_zones(items: tuple[RequestedItem, ...]) -> None:
    """A zone nobody has is a mistake to name, not a place where nothing is free."""
    wanted = {item.zone for item in items if item.zone is not None}
    if wanted and not wanted <= {zone.public_id for zone in spaces.zones()}:
        raise NotFound(field="zone_id")
