"""A room booked over midnight, where the lieu is open then: one booking, which both its days know of."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from icalendar import Calendar
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import checks, services
from coworking.booking import displaced as bookings
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import AlreadyInRoom, BeyondHorizon, NotInService, NotOnOneDay
from coworking.booking.weeks import week
from coworking.claims.models import Claim
from coworking.claims.queries import day_version
from coworking.claims.rules import ClaimConflict
from coworking.core import displaced
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.outbox import Job
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.frontdesk.today import today
from coworking.presence import checks as presence_checks
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.presence.models import Presence
from coworking.presence.rules import NotToday
from coworking.pricing.models import Quote
from coworking.spaces import calendar, queries
from coworking.spaces import services as spaces
from coworking.spaces.models import Resource
from coworking.spaces.rules import Closed, Closing, Opening
from tests.factories import make_tariff
from tests.statistics.oracle import PARIS
from tests.support.api import Program
from tests.support.threads import at_once

WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (25, 26, 27))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=PARIS)


NIGHT = Span(at(26, 23), at(27, 1))


@pytest.fixture
def open_always(app, place, cast):
    """The cast at a lieu that is open round the clock from Wednesday on, where an hour of a room costs 15 €."""
    with app.app_context():
        openings = [Opening(weekday, "accessible", 0, 1440) for weekday in range(7)]
        spaces.set_schedule(cast.manager.actor(), valid_from=WEDNESDAY, split_minute=780, openings=openings)
        make_tariff()
    return cast


@pytest.fixture
def nights(open_always, inside):
    """The same, inside the application."""
    return open_always


def book(person, room, span: Span = NIGHT, **more: object) -> Booking:
    return services.book(person.actor(), Request(span, (RequestedItem(resource=room.public_id),), **more))


def english(app, *people) -> None:
    """Let ``people`` read English."""
    with app.app_context(), write_unit():
        for person in people:
            db.session.get_one(Person, person.id).locale = "en"


def fresh(booking: Booking) -> Booking:
    db.session.rollback()
    return db.session.get_one(Booking, booking.id)


def sound() -> None:
    """Nothing that the nightly check asks of bookings and presences is broken."""
    db.session.rollback()
    asked = (checks.claims_held, checks.claims_released, checks.quotes)
    asked += (presence_checks.came_and_was_there, presence_checks.was_there_and_came)
    assert [found for check in asked for found in check()] == []


# Booking ----------------------------------------------------------------------------------------------------------------


def test_it_is_one_booking_of_the_day_it_begins_on(nights, place):
    versions = [day_version(day) for day in (THURSDAY, FRIDAY)]
    made = book(nights.member, place.rooms[0])
    assert (made.day, made.span, [unit.span for unit in made.units]) == (THURSDAY, NIGHT, [NIGHT])
    quote = db.session.scalars(select(Quote)).one()
    assert (quote.day, quote.minutes, quote.amount_cents) == (THURSDAY, 120, 3000)
    assert [claim.use for claim in db.session.scalars(select(Claim))] == [NIGHT]
    assert all(day_version(day) > known for day, known in zip((THURSDAY, FRIDAY), versions, strict=True))
    sound()


def test_whoever_comes_after_midnight_finds_it_taken(nights, place):
    book(nights.member, place.rooms[0])
    with pytest.raises(ClaimConflict):
        book(nights.stranger, place.rooms[0], Span(at(27, 0), at(27, 1)))
    with pytest.raises(AlreadyInRoom):
        book(nights.member, place.rooms[1], Span(at(27, 0, 30), at(27, 2)))
    book(nights.stranger, place.rooms[0], Span(at(27, 1), at(27, 2)))
    with pytest.raises(ClaimConflict):
        book(nights.stranger, place.rooms[0], Span(at(25, 23, 30), at(26, 23, 15)))


def test_whoever_has_the_morning_keeps_it(nights, place):
    book(nights.stranger, place.rooms[0], Span(at(27, 0, 30), at(27, 2)))
    with pytest.raises(ClaimConflict):
        book(nights.member, place.rooms[0])
    book(nights.colleague, place.rooms[1], Span(at(27, 0), at(27, 1)))
    with pytest.raises(AlreadyInRoom):
        book(nights.colleague, place.rooms[0], Span(at(26, 22), at(27, 0, 15)))


@pytest.mark.parametrize("hours", [24, 25])
def test_it_lasts_a_day_at_most(nights, place, hours):
    span = Span(at(26, 12), at(26, 12) + timedelta(hours=hours))
    if hours == 24:
        assert book(nights.member, place.rooms[0], span).span == span
    else:
        with pytest.raises(NotOnOneDay):
            book(nights.member, place.rooms[0], span)


def test_desks_stay_within_a_day(nights):
    with pytest.raises(NotOnOneDay):
        services.book(nights.member.actor(), Request(NIGHT, (RequestedItem(kind="desk"),)))


def test_where_the_lieu_closes_at_night_nothing_goes_over_it(people, place):
    with pytest.raises(NotOnOneDay):
        book(people.member, place.rooms[0], Span(at(26, 17), at(27, 10)))


def test_both_days_are_within_the_horizon(nights, place):
    last = datetime(2026, 11, 24, 23, tzinfo=PARIS) + timedelta(days=queries.lieu().horizon_days)
    with pytest.raises(BeyondHorizon):
        book(nights.member, place.rooms[0], Span(last, last + timedelta(hours=2)))
    book(nights.member, place.rooms[0], Span(last, last + timedelta(hours=1)))


def test_a_room_retired_that_day_is_not_there_after_midnight(nights, place):
    with write_unit():
        db.session.get_one(Resource, place.rooms[0].id).in_service_until = THURSDAY
    with pytest.raises(NotInService):
        book(nights.member, place.rooms[0])


def test_the_night_clocks_go_back_has_an_hour_more(nights, place, clock):
    clock.set(datetime(2027, 10, 20, 10, tzinfo=UTC))
    with write_unit():
        calendar.ensure_days(date(2027, 10, 20), date(2027, 11, 10))
    span = Span(datetime(2027, 10, 30, 21, tzinfo=UTC), datetime(2027, 10, 31, 4, tzinfo=UTC))  # from 23:00 to 5:00
    book(nights.member, place.rooms[0], span)
    quote = db.session.scalars(select(Quote)).one()
    assert (quote.minutes, quote.amount_cents, quote.day) == (7 * 60, 7 * 1500, date(2027, 10, 30))


# Changing ---------------------------------------------------------------------------------------------------------------


def test_it_is_charged_once_it_is_over(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(27, 0, 30))
    charges.gather_recent()
    assert db.session.scalars(select(Charge)).all() == []
    services.cancel(nights.host.actor(), booking.public_id, mistake=True)
    assert services.undo_cancel(nights.host.actor(), booking.public_id).status == "confirmed"
    clock.set(at(27, 1))
    charges.gather_recent()
    assert [(row.day, row.month) for row in db.session.scalars(select(Charge))] == [(THURSDAY, date(2026, 11, 1))]
    sound()


def test_moving_it_and_undoing_that_tells_every_day(nights, place):
    booking = book(nights.member, place.rooms[0])
    days = [date(2026, 11, day) for day in (26, 27, 28, 29)]
    before = [day_version(day) for day in days]
    services.move(nights.member.actor(), booking.public_id, span=Span(at(28, 22), at(29, 2)))
    moved = [day_version(day) for day in days]
    assert all(now > known for now, known in zip(moved, before, strict=True))
    assert fresh(booking).day == date(2026, 11, 28)
    services.undo_move(nights.member.actor(), booking.public_id)
    assert all(day_version(day) > known for day, known in zip(days, moved, strict=True))
    assert (fresh(booking).day, fresh(booking).span) == (THURSDAY, NIGHT)
    sound()


def test_a_move_that_went_is_not_undone_over_someone_else_s_morning(nights, place):
    booking = book(nights.member, place.rooms[0])
    services.move(nights.member.actor(), booking.public_id, span=Span(at(26, 20), at(26, 22)))
    book(nights.stranger, place.rooms[0], Span(at(27, 0), at(27, 1)))
    with pytest.raises(ClaimConflict):
        services.undo_move(nights.member.actor(), booking.public_id)


def test_too_late_to_cancel_it_gets_no_shorter(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(26, 20))
    with pytest.raises(DomainError) as refused:
        services.move(nights.member.actor(), booking.public_id, span=Span(at(26, 22), at(26, 23)))
    assert refused.value.code == "late_move"
    services.move(nights.member.actor(), booking.public_id, span=Span(at(26, 22), at(27, 0)))


@pytest.mark.parametrize("day", [THURSDAY, FRIDAY])
def test_a_closure_of_either_day_cancels_it(nights, place, run_outbox, mailbox, day):
    booking = book(nights.member, place.rooms[0])
    kept = book(nights.stranger, place.rooms[1], Span(at(28, 23), at(29, 1)))
    spaces.add_closure(nights.manager.actor(), Closing(day, day, None, None, "Travaux"))
    run_outbox()
    assert (fresh(booking).status, fresh(booking).cancelled_because) == ("cancelled", "closed")
    assert fresh(kept).status == "confirmed"
    with pytest.raises(Closed):
        book(nights.member, place.rooms[0])
    sound()


def test_a_closure_after_it_leaves_it(nights, place, run_outbox):
    booking = book(nights.member, place.rooms[0])
    spaces.add_closure(nights.manager.actor(), Closing(FRIDAY, FRIDAY, 60, 1440, "Travaux"))
    run_outbox()
    assert fresh(booking).status == "confirmed"


def test_a_retired_room_s_night_goes_to_another_free_on_both_days(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    busy = book(nights.stranger, place.rooms[1], Span(at(27, 0), at(27, 1)))
    with write_unit():
        db.session.get_one(Resource, place.rooms[0].id).in_service_until = THURSDAY
    retired = (displaced.RESOURCE, {"resource": place.rooms[0].public_id})
    assert bookings.weigh(*retired).cancelled == 1
    services.cancel(nights.stranger.actor(), busy.public_id)
    clock.advance(minutes=3)  # until then the place is kept for them
    assert bookings.weigh(*retired).moved == 1
    bookings.settle_affected(Job("1", retired[0], "again", retired[1], 1))
    (unit,) = fresh(booking).units
    assert (unit.resource.name, unit.span) == (place.rooms[1].name, NIGHT)
    sound()


# Who came ---------------------------------------------------------------------------------------------------------------


def outcome(booking: Booking) -> str:
    (unit,) = fresh(booking).units
    return unit.outcome


def stays() -> list[tuple[date, datetime, datetime | None]]:
    rows = db.session.scalars(select(Presence).order_by(Presence.arrived_at))
    return [(row.day, row.arrived_at, row.left_at) for row in rows]


def test_whoever_checks_in_after_midnight_came(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(25, 12))
    with pytest.raises(NotToday):
        presence.check_in(nights.member.actor(), booking.public_id)
    clock.set(at(27, 0, 10))
    arrival = presence.check_in(nights.member.actor(), booking.public_id)
    assert (arrival.presence.day, arrival.walked_in, outcome(booking)) == (FRIDAY, False, "came")
    presence.undo_arrival(nights.host.actor(), arrival.presence.public_id)
    assert outcome(booking) == "pending"
    sound()


def test_whoever_stays_over_midnight_takes_no_desk_for_the_morning(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(26, 23))
    presence.arrive(nights.member.actor())
    clock.set(at(27, 0, 40))
    found = today(is_manager=False)
    assert [one.room.resource.name for _zone, group in found.here for one in group] == [place.rooms[0].name]
    assert (found.lingering, found.coming) == ([], [])
    left = presence.leave(nights.member.actor())
    assert left is not None and left.counted == ()
    assert stays() == [(THURSDAY, at(26, 23), at(27, 0)), (FRIDAY, at(27, 0), at(27, 0, 40))]
    assert outcome(booking) == "came"
    sound()


def test_today_expects_after_midnight_whoever_has_not_come(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(27, 0, 20))
    found = today(is_manager=False)
    assert [(one.booking.public_id, one.late) for one in found.coming] == [(booking.public_id, True)]
    assert found.yesterday is None, "it is not over"
    clock.set(at(27, 1))
    found = today(is_manager=False)
    assert found.coming == [] and found.yesterday is not None
    assert [unit.booking_id for unit in found.yesterday.waiting] == [booking.id]


def test_gone_unseen_they_stayed_for_what_they_had_over_midnight(nights, place, clock):
    book(nights.member, place.rooms[0])
    clock.set(at(26, 23))
    presence.arrive(nights.member.actor())
    clock.set(at(27, 8))
    presence.leave(nights.host.actor(), person=nights.member.public_id, unseen=True)
    assert stays() == [(THURSDAY, at(26, 23), at(27, 0)), (FRIDAY, at(27, 0), at(27, 1))]
    sound()


def test_the_host_says_that_they_came_and_takes_it_back(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    (unit,) = [unit.id for unit in booking.units]
    clock.set(at(27, 9))
    said = settling.settle(nights.host.actor(), [unit], "came")
    assert stays() == [(THURSDAY, at(26, 23), at(27, 0)), (FRIDAY, at(27, 0), at(27, 1))]
    sound()
    settling.undo_settling(nights.host.actor(), said.at)
    assert (stays(), outcome(booking)) == ([], "pending")
    settling.settle(nights.host.actor(), [unit], "absent")
    sound()


def test_said_absent_they_were_there_on_neither_day(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    (unit,) = [unit.id for unit in booking.units]
    clock.set(at(26, 23))
    presence.arrive(nights.member.actor())
    clock.set(at(27, 1))
    presence.leave(nights.member.actor())
    clock.set(at(27, 9))
    settling.settle(nights.host.actor(), [unit], "absent", reason="relu")
    assert (stays(), outcome(booking)) == ([], "absent")
    sound()


def test_set_free_after_midnight_it_is_free_from_then_on(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(27, 0, 15))
    versions = [day_version(day) for day in (THURSDAY, FRIDAY)]
    presence.set_free(nights.host.actor(), booking.public_id)
    assert fresh(booking).ends_at == at(27, 0, 15)
    assert all(day_version(day) > n for day, n in zip((THURSDAY, FRIDAY), versions, strict=True))
    presence.undo_set_free(nights.host.actor(), booking.public_id)
    assert fresh(booking).span == NIGHT
    sound()


# What people see --------------------------------------------------------------------------------------------------------


def test_the_letter_says_the_day_it_ends_and_its_file_the_instants(nights, place, clock, run_outbox, mailbox):
    book(nights.member, place.rooms[0])
    clock.advance(minutes=11)
    run_outbox()
    message = mailbox()[-1]
    assert "23\u202fh\u00a0– 1\u202fh le vendredi 27 novembre" in message.get_body(("plain",)).get_content()
    (file,) = message.iter_attachments()
    (event,) = Calendar.from_ical(file.get_content()).walk("VEVENT")
    assert (event["dtstart"].dt, event["dtend"].dt) == (NIGHT.start, NIGHT.end)


@pytest.mark.parametrize(
    ("language", "until"),
    [("fr", "jusqu’à 1\u202fh le vendredi 27 novembre"), ("en", "until 1:00 on Friday 27 November")],
)
def test_the_sheet_says_the_next_day_before_it_is_booked(app, open_always, place, sign_in, language, until):
    if language == "en":
        english(app, open_always.member)
    browser, url = sign_in(open_always.member), f"/rooms/{place.rooms[0].public_id}/book"
    by_duration = {"day": "2026-11-26", "from": "23:00", "minutes": "120"}
    by_hour = {"day": "2026-11-26", "from": "23:00", "to": "01:00"}
    for values in (by_duration, by_hour):
        assert until in browser.get(url, query_string=values).text
    assert until not in browser.get(url, query_string=by_duration | {"minutes": "60"}).text
    booked = browser.post(url, data=by_duration | {"agreed": "3000"})
    assert booked.status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Booking)).one().span == NIGHT


def test_an_earlier_end_is_a_mistake_where_the_lieu_closes(place, cast, sign_in):
    url = f"/rooms/{place.rooms[0].public_id}/book"
    page = sign_in(cast.member).get(url, query_string={"day": "2026-11-26", "from": "14:00", "to": "13:00"}).text
    assert "La fin doit venir après le début." in page


def test_the_week_shows_it_on_both_days(nights, place):
    book(nights.member, place.rooms[0])
    days = [WEDNESDAY, THURSDAY, FRIDAY]
    found = week(nights.member.id, days, queries.days(WEDNESDAY, FRIDAY))
    rooms = {(row.day, cell.half): cell.rooms for row in found for cell in row.cells if cell.rooms}
    assert {key: [room.goes_on for room in seen] for key, seen in rooms.items()} == {
        (THURSDAY, "pm"): [False],
        (FRIDAY, "am"): [True],
    }
    assert [row.used for row in found] == [[], [place.rooms[0].name], []]
    after = week(nights.member.id, [FRIDAY], queries.days(FRIDAY, FRIDAY))
    assert [room.goes_on for room in after[0].cells[0].rooms] == [True]


def test_the_pages_show_both_days(app, open_always, place, sign_in, clock):
    with app.app_context():
        book(open_always.member, place.rooms[0])
    english(app, open_always.member, open_always.host)
    browser = sign_in(open_always.member)
    words = "23:00\u00a0– 1:00 on Friday 27 November"
    for day, mark in (("2026-11-26", "goes-on"), ("2026-11-27", "came-on")):
        page = browser.get(f"/planning?day={day}").text
        assert (mark in page, words in page) == (True, True)
        assert words in browser.get(f"/planning?day={day}&view=list").text
        assert words in browser.get(f"/rooms?day={day}").text
    assert "since the day before, until 1:00" in browser.get("/week").text
    clock.set(at(27, 0, 20))
    assert words in sign_in(open_always.host).get("/today").text


def test_free_ground_up_to_midnight_is_booked_to_midnight(app, open_always, place, sign_in):
    browser = sign_in(open_always.member)
    links = re.findall(rf'href="(/new/{place.rooms[0].public_id}[^"]*)"', browser.get("/planning?day=2026-11-26").text)
    page = browser.get(links[-1].replace("&amp;", "&"), follow_redirects=True).text
    assert re.search("[Jj]eudi 26 novembre, 0–24\u202fh", page), page


def test_the_host_books_it_from_the_planning_by_its_hours(app, open_always, place, sign_in):
    english(app, open_always.host)
    host = sign_in(open_always.host)
    form = {"resource": place.rooms[0].public_id, "day": "2026-11-26", "from": "23:00", "to": "01:00"}
    page = host.get("/for-someone", query_string=form).text
    assert "until 1:00 on Friday 27 November" in page
    told = "An earlier hour than the start is one of the next day."
    assert told in host.get("/for-someone", query_string=form | {"to": "23:30"}).text
    assert host.post("/for-someone", data=form | {"person": open_always.member.public_id}).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Booking)).one().span == NIGHT


def test_programs_book_it_and_find_it_free_before(app, open_always, place):
    member = Program(app, open_always.member)
    asked = {"starts_at": "2026-11-26T23:00:00+01:00", "ends_at": "2026-11-27T01:00:00+01:00"}
    found = member.get(
        "/availability", **{"from": "2026-11-26T22:00:00+01:00", "to": "2026-11-27T03:00:00+01:00", "kind": "room"}
    )
    free = {row["resource_id"]: row["free"] for row in found.get_json()["items"]}
    assert [(one["starts_at"], one["ends_at"]) for one in free[place.rooms[0].public_id]] == [
        ("2026-11-26T22:00:00+01:00", "2026-11-27T03:00:00+01:00")
    ]
    made = member.post("/bookings", asked | {"resource_id": place.rooms[0].public_id})
    assert made.status_code == 201
    body = made.get_json()
    assert {name: body[name] for name in asked} == asked
    refused = member.post("/bookings", asked | {"kind": "desk"})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_on_one_day")


# At once ----------------------------------------------------------------------------------------------------------------


def test_the_night_and_the_morning_after_race_for_one_hour(app, open_always, place):
    def ask(person, span: Span) -> str:
        with app.app_context():
            try:
                book(person, place.rooms[0], span)
            except DomainError as refusal:
                return refusal.code
            return "booked"

    for n in range(6):
        day = timedelta(days=n)
        night, morning = (Span(s.start + day, s.end + day) for s in (NIGHT, Span(at(27, 0), at(27, 1))))
        asks = [(open_always.member, night), (open_always.stranger, morning)] * 4
        told = Counter(at_once([partial(ask, *one) for one in asks]))
        with app.app_context():
            spans = [
                row.use for row in db.session.scalars(select(Claim).where(Claim.live)) if row.use.overlaps(morning)
            ]
        assert told["booked"] == 1 and len(spans) == 1, told
        assert set(told) <= {"booked", "claim_conflict", "already_booked"}
