"""A day closes, a desk is retired, an account is closed: what can be kept is kept, the rest is cancelled free of charge."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from coworking.accounts import staff
from coworking.accounts.models import Person
from coworking.booking import checks, services
from coworking.booking import displaced as bookings
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import MoveUndoTooLate
from coworking.claims.models import Claim
from coworking.claims.queries import day_version
from coworking.core import displaced
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.displaced import NO_TOLL, Toll, WouldDisplace
from coworking.core.outbox import Job
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.membership.models import LedgerEntry
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import ACCESSIBLE, STAFFED, Closing, Opening
from tests.factories import make_cast, make_place, make_subscription, make_tariff
from tests.support import emails as golden

WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (25, 26, 27))
DAY, MORNING, AFTERNOON = frozenset({"am", "pm"}), frozenset({"am"}), frozenset({"pm"})
FRIDAY_CLOSED = Closing(FRIDAY, FRIDAY, None, None, "Travaux")


def status(booking) -> tuple[str, bool, int | None]:
    db.session.rollback()
    found = db.session.get_one(Booking, booking.id)
    return found.status, found.cancelled_late, found.cancelled_by_id


def desks_of(booking) -> list[str]:
    db.session.rollback()
    return [unit.resource.name for unit in db.session.get_one(Booking, booking.id).units]


GONE, STANDS = ("cancelled", False, None), ("confirmed", False, None)


def room(person, place, first: int, last: int, day: int = 27):
    span = Span(datetime(2026, 11, day, first - 1, tzinfo=UTC), datetime(2026, 11, day, last - 1, tzinfo=UTC))
    return services.book(person.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))


def test_a_closed_day_gives_everything_back_free_and_says_so(payers, clock, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    kept = services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    clock.set(datetime(2026, 11, 27, 6, tzinfo=UTC))  # on the day itself: far beyond the deadline
    before = day_version(FRIDAY)
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    assert status(booking) == GONE
    assert status(kept) == STANDS
    assert db.session.scalars(select(Claim.live).where(Claim.holder_id == booking.id)).all() == [False]
    states = select(Quote.state).where(Quote.day == FRIDAY)
    assert set(db.session.scalars(states)) == {"released"}
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.displaced")).one()
    assert (entry.subject_id, entry.person_id, entry.details) == (booking.id, payers.member.id, {"why": "closed"})
    assert day_version(FRIDAY) > before


def test_what_has_begun_is_left_to_the_host(payers, clock, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    clock.set(datetime(2026, 11, 27, 9, tzinfo=UTC))
    presence.arrive(payers.member.actor())
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    assert status(booking) == STANDS


def test_part_of_a_day_takes_only_what_it_touches(payers, place, run_outbox):
    morning = services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    afternoon = services.book_half_days(payers.member.actor(), FRIDAY, AFTERNOON)
    early, late = room(payers.colleague, place, 9, 11), room(payers.colleague, place, 12, 14)
    spaces.add_closure(payers.manager.actor(), Closing(FRIDAY, FRIDAY, 13 * 60, 18 * 60, "Inventaire"))
    run_outbox()
    assert [status(row) for row in (morning, afternoon, early, late)] == [STANDS, GONE, STANDS, GONE]


def test_a_booking_whose_half_day_gets_shorter_is_kept(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    spaces.add_closure(payers.manager.actor(), Closing(FRIDAY, FRIDAY, 9 * 60, 10 * 60, "Réunion"))
    run_outbox()
    assert status(booking) == STANDS


def test_new_hours_take_what_they_no_longer_offer(payers, run_outbox):
    morning = services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    afternoon = services.book_half_days(payers.member.actor(), FRIDAY, AFTERNOON)
    mornings = [Opening(day, layer, 540, 720) for day in range(5) for layer in (ACCESSIBLE, STAFFED)]
    spaces.set_schedule(payers.manager.actor(), valid_from=THURSDAY, split_minute=780, openings=mornings)
    run_outbox()
    assert [status(morning), status(afternoon)] == [STANDS, GONE]


def test_a_retired_desk_moves_what_comes_after_its_last_day(payers, place, run_outbox):
    last = services.book_half_days(payers.member.actor(), THURSDAY, DAY, resource=place.desks[0].public_id)
    after = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    other = services.book_half_days(payers.colleague.actor(), FRIDAY, DAY, resource=place.desks[1].public_id)
    inventory.retire_resource(payers.manager.actor(), place.desks[0].public_id, THURSDAY)
    run_outbox()
    assert [status(row) for row in (last, after, other)] == [STANDS, STANDS, STANDS]
    assert [desks_of(row) for row in (last, after, other)] == [["Poste 1"] * 2, ["Poste 3"] * 2, ["Poste 2"] * 2]


def test_closing_an_account_frees_its_desks_without_an_email(payers, run_outbox, mailbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    other = services.book_half_days(payers.colleague.actor(), FRIDAY, DAY)
    staff.deactivate(payers.manager.actor(), payers.member.public_id)
    run_outbox()
    run_outbox()
    assert [status(booking), status(other)] == [GONE, STANDS]
    assert mailbox() == []


def test_an_account_opened_again_at_once_keeps_what_it_has(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    staff.deactivate(payers.manager.actor(), payers.member.public_id)
    staff.reactivate(payers.manager.actor(), payers.member.public_id)
    run_outbox()
    assert status(booking) == STANDS


def test_a_closure_cancelled_at_once_changes_no_booking(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    closure, _days = spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    spaces.remove_closure(payers.manager.actor(), closure.public_id)
    run_outbox()
    assert status(booking) == STANDS


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_email_reads(payers, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.member.id).locale = locale
    services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    clock.advance(minutes=11)
    run_outbox()
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    clock.advance(minutes=11)
    run_outbox()
    emails = [email for email in mailbox() if "Poste 1" in email["Subject"]]
    golden.check(emails[-1], "booking/news-displaced")
    assert "METHOD:CANCEL" in next(emails[-1].iter_attachments()).get_payload(decode=True).decode()


# Told before it is done -----------------------------------------------------------------------------------------------


def test_more_than_was_agreed_changes_nothing(payers, place):
    boss = payers.manager.actor()
    services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    services.book_half_days(payers.colleague.actor(), FRIDAY, DAY)
    closed = [Opening(0, layer, 540, 720) for layer in (ACCESSIBLE, STAFFED)]
    for change in (
        lambda agreed: spaces.add_closure(boss, FRIDAY_CLOSED, agreed=agreed),
        lambda agreed: spaces.set_schedule(boss, valid_from=THURSDAY, split_minute=780, openings=closed, agreed=agreed),
    ):
        for agreed in (NO_TOLL, Toll(cancelled=1), Toll(moved=2), Toll(shortened=2)):
            with pytest.raises(WouldDisplace) as refused:
                change(agreed)
            assert refused.value.toll == Toll(cancelled=2)
    with pytest.raises(WouldDisplace):
        staff.deactivate(boss, payers.member.public_id, agreed=NO_TOLL)
    with pytest.raises(WouldDisplace):
        inventory.retire_resource(boss, place.desks[0].public_id, THURSDAY - timedelta(days=2), agreed=NO_TOLL)
    assert db.session.scalars(select(AuditEntry)).all() == []
    spaces.add_closure(boss, FRIDAY_CLOSED, agreed=Toll(cancelled=2))


def test_the_manager_confirms_how_many_bookings_are_cancelled(app, place, cast, sign_in, run_outbox):
    with app.app_context():
        booking = services.book_half_days(cast.member.actor(), FRIDAY, DAY)
    boss = sign_in(cast.manager)
    form = {"reason": "Travaux", "first_day": "2026-11-27"}
    told = boss.post("/settings/closures", data=form)
    assert told.status_code == 422
    assert "1 réservation à venir ne tient plus" in told.text
    assert 'name="agreed" value="0-0-1"' in told.text
    done = boss.post("/settings/closures", data={**form, "agreed": "0-0-1"})
    assert done.status_code == 303
    run_outbox()
    with app.app_context():
        assert status(booking) == GONE


def test_closing_an_account_shows_the_cancelled_bookings_first(app, place, cast, sign_in):
    with app.app_context():
        services.book_half_days(cast.member.actor(), FRIDAY, DAY)
    boss, path = sign_in(cast.manager), f"/people/{cast.member.public_id}/deactivate"
    told = boss.post(path, data={"agreed": ""})
    assert told.status_code == 409
    assert "1 réservation à venir." in told.text and 'name="agreed" value="0-0-1"' in told.text
    assert boss.post(path, data={"agreed": "0-0-1"}).status_code == 303


def test_a_desk_or_the_holidays_too(app, place, cast, sign_in):
    with app.app_context():
        services.book_half_days(cast.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    boss, path = sign_in(cast.manager), f"/settings/resources/{place.desks[0].public_id}/retire"
    told = boss.post(path, data={"last_day": "2026-11-26"})
    assert told.status_code == 422
    assert 'name="agreed" value="1-0-0"' in told.text
    assert boss.post(path, data={"last_day": "2026-11-26", "agreed": "1-0-0"}).status_code == 303


# A retired place --------------------------------------------------------------------------------------------------------


def retire(payers, resource, **options):
    return inventory.retire_resource(
        payers.manager.actor(), resource.public_id, THURSDAY - timedelta(days=2), **options
    )


def owed_of(booking) -> list[tuple[str, int, str]]:
    db.session.rollback()
    units = db.session.get_one(Booking, booking.id).units
    return [(unit.quote.resource_id, unit.quote.amount_cents, unit.quote.state) for unit in units]


def test_one_of_seventeen_desks_is_retired_and_everyone_keeps_a_desk(app, clock, run_outbox):
    with app.app_context():
        place, cast = make_place(desks=17), make_cast()
        make_tariff()
        booked = [
            services.book_half_days(cast.member.actor(), day, DAY, resource=place.desks[4].public_id)
            for day in (WEDNESDAY, THURSDAY, FRIDAY)
        ]
        toll = Toll(moved=3)
        inventory.retire_resource(cast.manager.actor(), place.desks[4].public_id, date(2026, 11, 24), agreed=toll)
        run_outbox()
        assert [status(row) for row in booked] == [STANDS] * 3
        assert [desks_of(row) for row in booked] == [["Poste 1"] * 2] * 3
        for row in booked:
            assert owed_of(row) == [(place.desks[0].id, 900, "live")] * 2
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(entry.action, entry.details) for entry in entries] == [
            ("resource.retired", {"last_day": "2026-11-24", "moved": 3}),
            *[("booking.displaced", {"why": "retired", "became": "moved"})] * 3,
        ]
        assert db.session.scalar(select(func.count()).select_from(Claim).where(Claim.live)) == 3
        assert list(checks.claims_held()) == list(checks.claims_released()) == list(checks.quotes()) == []


def test_a_dearer_desk_is_given_only_where_no_other_is_free_and_at_the_old_price(people, place, run_outbox):
    make_tariff(resources={place.desks[1]: 1200, place.desks[2]: 500})
    cheaper = services.book_half_days(people.member.actor(), FRIDAY, MORNING, resource=place.desks[0].public_id)
    dearer = services.book_half_days(people.member.actor(), THURSDAY, MORNING, resource=place.desks[0].public_id)
    for person, desk in ((people.colleague, 2), (people.stranger, 3)):
        services.book_half_days(person.actor(), THURSDAY, MORNING, resource=place.desks[desk].public_id)
    services.book_half_days(people.colleague.actor(), FRIDAY, MORNING, resource=place.desks[3].public_id)
    retire(people, place.desks[0])
    run_outbox()
    assert owed_of(cheaper) == [(place.desks[2].id, 500, "live")]
    assert owed_of(dearer) == [(place.desks[1].id, 900, "live")]


def test_a_plan_s_half_days_move_along(payers, place, run_outbox):
    make_subscription(payers.stranger, halfdays=2)
    booking = services.book_half_days(payers.stranger.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    retire(payers, place.desks[0])
    run_outbox()
    assert owed_of(booking) == [(place.desks[1].id, 0, "live")] * 2
    kinds = db.session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.id)).all()
    assert sorted(kinds) == ["hold"] * 4 + ["release"] * 2


def test_only_what_finds_no_place_is_cancelled(payers, place, run_outbox):
    """On Friday every other desk is taken for the afternoon; the morning goes on elsewhere."""
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    none = services.book_half_days(payers.member.actor(), THURSDAY, MORNING, resource=place.desks[0].public_id)
    others = (payers.colleague, payers.stranger, payers.host)
    for person, desk in zip(others, place.desks[1:], strict=True):
        services.book_half_days(person.actor(), FRIDAY, AFTERNOON, resource=desk.public_id)
        services.book_half_days(person.actor(), THURSDAY, DAY, resource=desk.public_id)
    with pytest.raises(WouldDisplace) as refused:
        retire(payers, place.desks[0], agreed=Toll(moved=2))
    assert refused.value.toll == Toll(shortened=1, cancelled=1)
    retire(payers, place.desks[0], agreed=refused.value.toll)
    run_outbox()
    assert [status(none), status(booking)] == [GONE, STANDS]
    assert owed_of(booking) == [(place.desks[1].id, 900, "live")]
    released = select(func.count()).select_from(Quote).where(Quote.state == "released")
    assert db.session.scalar(released) == 3  # Thursday's morning; Friday's morning at the old desk, its afternoon


def test_two_half_days_go_to_two_desks_where_no_desk_is_free_all_day(payers, place, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    for person, desk, half in (
        (payers.colleague, 1, MORNING), (payers.stranger, 2, AFTERNOON), (payers.host, 3, DAY),
    ):  # fmt: skip
        services.book_half_days(person.actor(), FRIDAY, half, resource=place.desks[desk].public_id)
    retire(payers, place.desks[0])
    run_outbox()
    assert desks_of(booking) == ["Poste 3", "Poste 2"]
    assert list(checks.claims_held()) == []


def test_a_retired_room_goes_to_one_that_seats_everyone(payers, place, run_outbox):
    inventory.add_resources(
        payers.manager.actor(),
        kind="room",
        zone_public_id=spaces.queries.zones()[1].public_id,
        names=["Grande"],
        seats=20,
    )
    span = Span(datetime(2026, 11, 27, 9, tzinfo=UTC), datetime(2026, 11, 27, 10, tzinfo=UTC))
    item = (RequestedItem(resource=place.rooms[0].public_id),)
    many = services.book(payers.member.actor(), Request(span, item, guests=5))
    retire(payers, place.rooms[0])
    run_outbox()
    assert desks_of(many) == ["Grande"]


def test_carrying_it_out_twice_moves_once(payers, place, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    retire(payers, place.desks[0])
    job = Job("1", displaced.RESOURCE, "again", {"resource": place.desks[0].public_id}, 1)
    bookings.settle_affected(job)
    run_outbox()
    assert desks_of(booking) == ["Poste 2"] * 2
    assert db.session.scalar(select(func.count()).select_from(Quote)) == 4


def test_a_move_by_the_lieu_cannot_be_undone(payers, place, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    retire(payers, place.desks[0])
    run_outbox()
    with pytest.raises(MoveUndoTooLate):
        services.undo_move(payers.member.actor(), booking.public_id)


def test_weighing_reads_as_little_for_many_bookings_as_for_one(app, place, cast, count_statements):
    with app.app_context():
        services.book_half_days(cast.member.actor(), WEDNESDAY, DAY, resource=place.desks[0].public_id)
        with count_statements() as one, pytest.raises(WouldDisplace):
            retire(cast, place.desks[0], agreed=NO_TOLL)
        for day in (THURSDAY, FRIDAY, date(2026, 11, 30)):
            for half in (MORNING, AFTERNOON):
                services.book_half_days(cast.colleague.actor(), day, half, resource=place.desks[0].public_id)
        with count_statements() as seven, pytest.raises(WouldDisplace):
            retire(cast, place.desks[0], agreed=NO_TOLL)
        assert len(seven) == len(one)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_e_mail_names_the_other_desk(payers, place, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.member.id).locale = locale
    services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    clock.advance(minutes=11)
    run_outbox()
    retire(payers, place.desks[0])
    run_outbox()
    clock.advance(minutes=11)
    run_outbox()
    golden.check(mailbox()[-1], "booking/news-moved-by-lieu")


# Part of a day ----------------------------------------------------------------------------------------------------------

AFTERNOON_CLOSED = Closing(FRIDAY, FRIDAY, 14 * 60, 18 * 60, "Inventaire")


def test_a_closed_afternoon_leaves_the_morning(payers, place, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    toll, before = Toll(shortened=1), day_version(FRIDAY)
    spaces.add_closure(payers.manager.actor(), AFTERNOON_CLOSED, agreed=toll)
    run_outbox()
    assert status(booking) == STANDS
    assert owed_of(booking) == [(place.desks[0].id, 900, "live")]
    kept = db.session.get_one(Booking, booking.id)
    assert (kept.starts_at.hour, kept.ends_at.hour) == (8, 12)  # in universal time
    (held,) = db.session.scalars(select(Claim).where(Claim.live)).all()
    assert held.use == kept.span
    assert db.session.scalar(select(func.count()).select_from(Quote).where(Quote.state == "released")) == 1
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.displaced")).one()
    assert entry.details == {"why": "closed", "became": "shortened"}
    assert list(checks.claims_held()) == list(checks.quotes()) == []
    assert day_version(FRIDAY) > before


def test_a_closed_morning_leaves_the_afternoon_and_gives_the_plan_its_half_day(payers, place, run_outbox):
    make_subscription(payers.stranger)
    booking = services.book_half_days(payers.stranger.actor(), FRIDAY, DAY)
    spaces.add_closure(payers.manager.actor(), Closing(FRIDAY, FRIDAY, 0, 13 * 60, "Travaux"))
    run_outbox()
    assert [unit.half for unit in db.session.get_one(Booking, booking.id).units] == ["pm"]
    kinds = db.session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.id)).all()
    assert kinds == ["hold", "hold", "release"]


def test_a_day_that_has_begun_loses_only_the_afternoon(payers, clock, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    clock.set(datetime(2026, 11, 27, 9, tzinfo=UTC))
    presence.arrive(payers.member.actor())
    spaces.add_closure(payers.manager.actor(), AFTERNOON_CLOSED)
    run_outbox()
    kept = db.session.get_one(Booking, booking.id)
    assert [(unit.half, unit.outcome) for unit in kept.units] == [("am", "came")]


def test_a_meeting_across_the_closing_is_cancelled(payers, place, run_outbox):
    across = room(payers.colleague, place, 13, 15)
    spaces.add_closure(payers.manager.actor(), AFTERNOON_CLOSED, agreed=Toll(cancelled=1))
    run_outbox()
    assert status(across) == GONE


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_e_mail_says_what_remains_and_when_it_is_closed(payers, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.member.id).locale = locale
        db.session.get_one(Person, payers.colleague.id).locale = locale
    services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    services.book_half_days(payers.colleague.actor(), FRIDAY, AFTERNOON)
    clock.advance(minutes=11)
    run_outbox()
    spaces.add_closure(payers.manager.actor(), AFTERNOON_CLOSED)
    run_outbox()
    clock.advance(minutes=11)
    run_outbox()
    by_person = {email["To"]: email for email in mailbox()}
    golden.check(by_person["member@demo.example"], "booking/news-shortened")
    golden.check(by_person["colleague@demo.example"], "booking/news-displaced-afternoon")
