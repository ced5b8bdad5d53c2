"""One person takes one desk and one room at a time, unless staff say otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

import pytest
from sqlalchemy import func, select

from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import AlreadyBooked, OnePlaceEach
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.timespan import Span
from tests.support.api import Program
from tests.support.threads import at_once

THURSDAY = date(2026, 11, 26)
MORNING, AFTERNOON = frozenset({"am"}), frozenset({"pm"})
CROWD = 16


def hours(start: int, end: int) -> Span:
    return Span(datetime(2026, 11, 26, start - 1, tzinfo=UTC), datetime(2026, 11, 26, end - 1, tzinfo=UTC))


def items(*resources) -> tuple[RequestedItem, ...]:
    return tuple(RequestedItem(resource=row.public_id) for row in resources)


def places_held() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(BookingUnit)) or 0


def test_several_desks_or_rooms_at_once_are_refused(inside, place, cast):
    for wanted in (
        items(*place.desks[:2]),
        items(*place.rooms),
        (RequestedItem(kind="desk"), RequestedItem(kind="desk")),
    ):
        with pytest.raises(OnePlaceEach):
            services.book(cast.member.actor(), Request(hours(9, 10), wanted))
    assert places_held() == 0


def test_a_desk_and_a_room_go_together(inside, place, cast):
    services.book(cast.member.actor(), Request(hours(9, 10), items(place.desks[0], place.rooms[0])))
    services.book_half_days(cast.member.actor(), THURSDAY, AFTERNOON)
    services.book(cast.member.actor(), Request(hours(15, 16), items(place.rooms[0])))
    assert places_held() == 4


def test_a_second_room_at_that_time_is_refused_and_one_after_it_is_not(inside, place, cast):
    services.book(cast.member.actor(), Request(hours(9, 11), items(place.rooms[0])))
    with pytest.raises(AlreadyBooked, match="Durolle"):
        services.book(cast.member.actor(), Request(hours(10, 12), items(place.rooms[1])))
    services.book(cast.member.actor(), Request(hours(11, 12), items(place.rooms[1])))


def test_staff_say_so_and_the_trail_keeps_it(inside, place, cast):
    person, host = cast.member.public_id, cast.host.actor()
    services.book_half_days(cast.member.actor(), THURSDAY, MORNING)
    with pytest.raises(AlreadyBooked):
        services.book_half_days(host, THURSDAY, MORNING, person=person)
    services.book_half_days(host, THURSDAY, MORNING, person=person, several_places=True)
    both = Request(hours(14, 15), items(*place.rooms), person=person, several_places=True)
    services.book(host, both)
    details = db.session.scalars(select(AuditEntry.details).where(AuditEntry.action == "booking.made")).all()
    assert details == [{"several_places": True}] * 2


def test_a_member_cannot_say_so(inside, place, cast):
    asked = Request(hours(9, 10), items(*place.desks[:2]), several_places=True)
    with pytest.raises(OnePlaceEach):
        services.book(cast.member.actor(), asked)


def test_moving_and_undoing_lead_to_no_second_place(inside, place, cast):
    member = cast.member.actor()
    early = services.book(member, Request(hours(9, 10), items(place.rooms[0])))
    services.book(member, Request(hours(14, 15), items(place.rooms[0])))
    with pytest.raises(AlreadyBooked):
        services.move(member, early.public_id, span=hours(14, 15), resource=place.rooms[1].public_id)
    services.cancel(member, early.public_id)
    services.book(member, Request(hours(9, 10), items(place.rooms[1])))
    with pytest.raises(AlreadyBooked):
        services.undo_cancel(member, early.public_id)


def test_what_staff_put_beside_another_place_can_still_move(inside, place, cast):
    person, host = cast.member.public_id, cast.host.actor()
    services.book_half_days(cast.member.actor(), THURSDAY, MORNING, resource=place.desks[0].public_id)
    extra = services.book_half_days(
        host, THURSDAY, MORNING, person=person, resource=place.desks[1].public_id, several_places=True
    )
    services.move(cast.member.actor(), extra.public_id, resource=place.desks[2].public_id)


def test_the_api_refuses_members_and_lets_staff_state_it(app, place, cast):
    member, host = Program(app, cast.member), Program(app, cast.host)
    span = hours(9, 10)
    body = {
        "starts_at": span.start.isoformat(),
        "ends_at": span.end.isoformat(),
        "items": [{"resource_id": row.public_id} for row in place.desks[:3]],
    }
    for asked in (body, body | {"several_places": True}):
        refused = member.post("/bookings", asked)
        assert (refused.status_code, refused.get_json()["code"]) == (422, "one_place_each")
        assert refused.get_json()["field"] == "items"
    stated = body | {"person_id": cast.member.public_id, "several_places": True}
    assert len(host.post("/bookings", stated).get_json()["units"]) == 3
    again = member.post("/bookings", {**body, "items": [{"kind": "desk"}]})
    assert (again.status_code, again.get_json()["code"]) == (409, "already_booked")


def test_the_form_asks_staff_once_and_then_books(app, place, cast, sign_in):
    with app.app_context():
        services.book_half_days(cast.member.actor(), THURSDAY, MORNING)
    host, form = sign_in(cast.host), {"person": cast.member.public_id, "when": "2026-11-26.am"}
    assert "several_places" not in host.get("/for-someone").text
    told = host.post("/for-someone", data=form)
    assert told.status_code == 409
    assert 'name="several_places"' in told.text
    assert host.post("/for-someone", data={**form, "several_places": "1"}).status_code == 303
    with app.app_context():
        assert places_held() == 2


def race(app, asks: list[Callable[[], object]]) -> Counter[str]:
    def told(ask: Callable[[], object]) -> str:
        with app.app_context():
            try:
                ask()
            except DomainError as refusal:
                return refusal.code
            return "booked"

    return Counter(at_once([partial(told, ask) for ask in asks]))


def test_sixteen_at_once_get_one_desk_and_one_room(app, place, cast):
    member = cast.member.actor()
    desks = [partial(services.book, member, Request(hours(9, 10), (RequestedItem(kind="desk"),)))] * (CROWD // 2)
    rooms = [
        partial(services.book, member, Request(hours(9, 10), items(place.rooms[n % 2]))) for n in range(CROWD // 2)
    ]
    told = race(app, [ask for pair in zip(desks, rooms, strict=True) for ask in pair])
    assert told["booked"] == 2, told
    assert sum(told.values()) == CROWD and set(told) <= {"booked", "already_booked", "claim_conflict"}
    with app.app_context():
        kinds = [booking.units[0].resource.kind for booking in db.session.scalars(select(Booking))]
        assert sorted(kinds) == ["desk", "room"]
