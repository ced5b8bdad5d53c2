"""Booking, cancelling, undoing, moving: on both engines, committing for real."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from coworking.accounts.paper_models import PaperMessage
from coworking.booking import queries, services
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import (
    AlreadyBooked,
    AlreadyOver,
    AlreadyStarted,
    BeyondHorizon,
    InPast,
    NothingFree,
    TooMany,
    UndoTooLate,
)
from coworking.claims.models import Claim
from coworking.claims.queries import day_version
from coworking.claims.rules import ClaimConflict
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.outbox import OutboxRow
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.spaces.models import Resource
from coworking.spaces.rules import ClosedThen, OnHoliday, OutsideOpeningHours

TODAY, THURSDAY = date(2026, 11, 24), date(2026, 11, 26)
MORNING, AFTERNOON, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})


def at(hour: int, minute: int = 0, day: int = 26) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def hours(start: int, end: int, day: int = 26) -> Span:
    return Span(at(start, day=day), at(end, day=day))


def live() -> int:
    return db.session.scalar(select(func.count()).where(Claim.live.is_(True)))


def desk_of(booking: Booking) -> str:
    return booking.units[0].resource.name


def test_a_morning_is_one_claim_and_one_unit(people):
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    assert [(unit.half, unit.day) for unit in booking.units] == [("am", THURSDAY)]
    assert [claim.use for claim in booking.claims] == [hours(9, 13)]
    assert (booking.source, booking.status) == ("web", "confirmed")


def test_a_whole_day_is_one_claim_across_lunch_and_two_units(people):
    booking = services.book_half_days(people.member.actor(), THURSDAY, DAY)
    assert [unit.half for unit in booking.units] == ["am", "pm"]
    assert [claim.use for claim in booking.claims] == [hours(9, 18)]


def test_the_afternoon_gets_the_morning_s_desk(people):
    services.book_half_days(people.stranger.actor(), THURSDAY, DAY)
    first = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    services.book_half_days(people.colleague.actor(), THURSDAY, MORNING)
    second = services.book_half_days(people.member.actor(), THURSDAY, AFTERNOON)
    assert desk_of(first) == desk_of(second) == "Poste 2"


def test_the_usual_desk_comes_back(people, place):
    for day in (date(2026, 11, 26), date(2026, 11, 27)):
        services.book_half_days(people.member.actor(), day, DAY, resource=place.desks[2].public_id)
    assert desk_of(services.book_half_days(people.member.actor(), date(2026, 12, 1), DAY)) == "Poste 3"


def test_a_taken_desk_names_what_is_free_instead(people, place):
    wanted = place.desks[0].public_id
    services.book_half_days(people.member.actor(), THURSDAY, MORNING, resource=wanted)
    with pytest.raises(ClaimConflict) as refusal:
        services.book_half_days(people.stranger.actor(), THURSDAY, MORNING, resource=wanted)
    assert [free["name"] for free in refusal.value.extra["free"]] == ["Poste 2", "Poste 3", "Poste 4"]
    assert live() == 1


def test_a_full_morning_refuses_and_leaves_nothing(people, place):
    for person in (people.member, people.colleague, people.stranger, people.host):
        services.book_half_days(person.actor(), THURSDAY, MORNING)
    before = db.session.scalar(select(func.count()).select_from(OutboxRow))
    with pytest.raises(NothingFree):
        services.book_half_days(people.manager.actor(), THURSDAY, MORNING)
    assert live() == 4
    assert db.session.scalar(select(func.count()).select_from(Booking)) == 4
    assert db.session.scalar(select(func.count()).select_from(OutboxRow)) == before


def test_one_person_sits_at_one_desk_at_a_time(people):
    services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    with pytest.raises(AlreadyBooked):
        services.book_half_days(people.member.actor(), THURSDAY, DAY)


def test_several_things_or_none(people, place):
    room = place.rooms[0].public_id
    services.book(people.stranger.actor(), Request(hours(9, 10), (RequestedItem(resource=room),)))
    both = (RequestedItem(kind="desk"), RequestedItem(resource=room))
    with pytest.raises(ClaimConflict):
        services.book(people.member.actor(), Request(hours(9, 10), both))
    assert live() == 1
    booking = services.book(people.member.actor(), Request(hours(14, 15), both))
    assert len(booking.claims) == 2


def test_a_room_guards_its_tidying_up(people, place):
    room = place.rooms[0]
    with write_unit():
        db.session.get(Resource, room.id).buffer_after = 15
    services.book(people.member.actor(), Request(hours(9, 10), (RequestedItem(resource=room.public_id),)))
    with pytest.raises(ClaimConflict):
        services.book(people.stranger.actor(), Request(hours(10, 11), (RequestedItem(resource=room.public_id),)))
    later = Span(at(10, 15), at(11))
    services.book(people.stranger.actor(), Request(later, (RequestedItem(resource=room.public_id),)))


def test_any_room_is_the_smallest_that_seats_everyone(people):
    small = services.book(people.member.actor(), Request(hours(9, 10), (RequestedItem(kind="room"),)))
    large = services.book(people.stranger.actor(), Request(hours(9, 10), (RequestedItem(kind="room"),), guests=5))
    assert (desk_of(small), desk_of(large)) == ("Cabine", "Durolle")


def test_a_room_takes_no_more_people_than_it_seats(people, place):
    durolle = next(room for room in place.rooms if room.name == "Durolle")
    item = RequestedItem(resource=durolle.public_id)
    with pytest.raises(TooMany):
        services.book(people.member.actor(), Request(hours(9, 10), (item,), guests=durolle.seats))
    full = services.book(people.member.actor(), Request(hours(9, 10), (item,), guests=durolle.seats - 1))
    cabin = next(room for room in place.rooms if room.name == "Cabine")
    with pytest.raises(TooMany):
        services.move(people.member.actor(), full.public_id, resource=cabin.public_id)
    assert desk_of(full) == "Durolle"


@pytest.mark.parametrize(
    ("day", "halves", "error"),
    [
        (date(2026, 11, 28), AFTERNOON, ClosedThen),  # Saturdays end at 13:00
        (date(2026, 11, 29), MORNING, ClosedThen),  # a Sunday
        (date(2026, 12, 25), MORNING, OnHoliday),
        (date(2026, 11, 23), MORNING, InPast),
        (date(2027, 2, 23), MORNING, BeyondHorizon),
    ],
)
def test_what_the_lieu_does_not_offer_is_refused(people, day, halves, error):
    with pytest.raises(error):
        services.book_half_days(people.member.actor(), day, halves)
    assert live() == 0


def test_a_room_outside_opening_hours_is_refused(people, place):
    with pytest.raises(OutsideOpeningHours):
        services.book(
            people.member.actor(), Request(hours(17, 19), (RequestedItem(resource=place.rooms[0].public_id),))
        )


def test_only_staff_book_for_others_and_it_is_audited(people):
    with pytest.raises(NotFound):
        services.book_half_days(people.member.actor(), THURSDAY, MORNING, person=people.stranger.public_id)
    booking = services.book_half_days(people.host.actor(), THURSDAY, MORNING, person=people.stranger.public_id)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.made")).one()
    assert (booking.source, entry.actor_id, entry.person_id) == ("staff", people.host.id, people.stranger.id)


def test_cancelling_twice_is_fine_and_frees_the_desk_after_two_minutes(people, place, clock):
    desk = place.desks[0].public_id
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING, resource=desk)
    services.cancel(people.member.actor(), booking.public_id)
    services.cancel(people.member.actor(), booking.public_id)
    with pytest.raises(ClaimConflict):
        services.book_half_days(people.stranger.actor(), THURSDAY, MORNING, resource=desk)
    clock.advance(minutes=2)
    services.book_half_days(people.stranger.actor(), THURSDAY, MORNING, resource=desk)
    with pytest.raises(UndoTooLate):
        services.undo_cancel(people.member.actor(), booking.public_id)


def test_an_undo_within_two_minutes_restores_everything(people, clock):
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    services.cancel(people.member.actor(), booking.public_id)
    clock.advance(seconds=119)
    restored = services.undo_cancel(people.member.actor(), booking.public_id)
    assert (restored.status, restored.cancelled_at, restored.cancelled_late) == ("confirmed", None, False)
    clock.advance(minutes=10)
    assert [claim.live and claim.expires_at is None for claim in queries.live_claims(booking.id)] == [True]


def test_late_is_late_except_for_the_first_ten_minutes(people, clock):
    clock.set(at(20, day=25))
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    clock.advance(minutes=9)
    assert not services.cancel(people.member.actor(), booking.public_id).cancelled_late
    clock.advance(minutes=3)
    again = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    clock.advance(minutes=11)
    assert services.cancel(people.member.actor(), again.public_id).cancelled_late


def test_the_host_ends_a_running_booking_but_not_one_that_is_over(people, place, clock):
    room = place.rooms[0].public_id
    booking = services.book(people.member.actor(), Request(hours(11, 13, day=24), (RequestedItem(resource=room),)))
    clock.set(at(11, 30, day=24))
    with pytest.raises(AlreadyStarted):
        services.cancel(people.member.actor(), booking.public_id)
    with pytest.raises(NotFound):
        presence.set_free(people.stranger.actor(), booking.public_id)
    presence.set_free(people.host.actor(), booking.public_id)
    services.book(
        people.stranger.actor(), Request(Span(at(11, 30, day=24), at(13, day=24)), (RequestedItem(resource=room),))
    )
    clock.set(at(14, day=24))
    with pytest.raises(AlreadyOver):
        services.cancel(people.host.actor(), booking.public_id)


def test_a_stranger_s_booking_does_not_exist(people):
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    for act in (services.cancel, services.undo_cancel, services.move):
        with pytest.raises(NotFound):
            act(people.stranger.actor(), booking.public_id)


def test_moving_takes_the_new_place_or_keeps_the_old(people, place):
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    services.book_half_days(people.stranger.actor(), THURSDAY, MORNING, resource=place.desks[1].public_id)
    with pytest.raises(ClaimConflict):
        services.move(people.member.actor(), booking.public_id, resource=place.desks[1].public_id)
    db.session.rollback()
    assert desk_of(queries.booking_for(people.member.actor(), booking.public_id)) == "Poste 1"
    services.move(people.member.actor(), booking.public_id, resource=place.desks[2].public_id)
    db.session.rollback()
    moved = queries.booking_for(people.member.actor(), booking.public_id)
    assert desk_of(moved) == "Poste 3"
    assert live() == 2


def test_moving_onto_part_of_one_s_own_time_works(people, place):
    room = place.rooms[0].public_id
    booking = services.book(people.member.actor(), Request(hours(9, 11), (RequestedItem(resource=room),)))
    moved = services.move(people.member.actor(), booking.public_id, span=hours(10, 12), resource=room)
    assert moved.span == hours(10, 12)
    assert live() == 1


def test_every_visible_change_counts_the_day_up(people):
    versions = [day_version(THURSDAY)]
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    versions.append(day_version(THURSDAY))
    services.cancel(people.member.actor(), booking.public_id)
    versions.append(day_version(THURSDAY))
    services.undo_cancel(people.member.actor(), booking.public_id)
    versions.append(day_version(THURSDAY))
    assert versions == sorted(set(versions))


def test_booking_takes_the_same_statements_whatever_the_number_of_desks_and_bookings(people, place, count_statements):
    with count_statements() as few:
        services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    with write_unit():
        zone = db.session.get(Resource, place.desks[0].id).zone_id
        db.session.add_all(
            Resource(zone_id=zone, kind="desk", name=f"Poste {n}", in_service_from=date(2026, 1, 1))
            for n in range(5, 40)
        )
    for person in (people.colleague, people.stranger, people.host):
        services.book_half_days(person.actor(), THURSDAY, MORNING)
    with count_statements() as many:
        services.book_half_days(people.manager.actor(), THURSDAY, MORNING)
    assert len(many) == len(few), f"{few}\n{many}"
    assert len(many) <= 20, many


def test_the_confirmation_is_sent_after_ten_minutes(people, clock, run_outbox, mailbox):
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    run_outbox()
    assert mailbox() == []
    clock.advance(minutes=10)
    run_outbox()
    (email,) = mailbox()
    subject = "Réservé\u202f: Poste 1, jeudi 26 novembre, le matin"
    assert (email["To"], email["Subject"]) == ("member@demo.example", subject)
    services.cancel(people.member.actor(), booking.public_id)
    clock.advance(minutes=10)
    run_outbox()
    assert mailbox()[1]["Subject"].startswith("Annulé")


def test_a_booking_cancelled_at_once_is_never_confirmed(people, clock, run_outbox, mailbox):
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    services.cancel(people.member.actor(), booking.public_id)
    clock.advance(hours=1)
    run_outbox()
    assert mailbox() == []


def test_a_restored_booking_is_confirmed_after_all(people, clock, run_outbox, mailbox):
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING)
    services.cancel(people.member.actor(), booking.public_id)
    clock.advance(minutes=1)
    services.undo_cancel(people.member.actor(), booking.public_id)
    clock.advance(minutes=10)
    run_outbox()
    assert [email["Subject"].split("\u202f")[0] for email in mailbox()] == ["Réservé"]


def test_a_person_without_e_mail_books_too_and_is_told_on_paper(people, inside, clock, run_outbox, mailbox):
    from tests.factories import make_person

    without_email = make_person("Émile", "Roussel", None)
    services.book_half_days(people.host.actor(), THURSDAY, MORNING, person=without_email.public_id)
    assert db.session.scalars(select(OutboxRow.topic)).all() == ["booking.news"]
    clock.advance(minutes=11)
    run_outbox()
    assert mailbox() == [] and db.session.scalars(select(PaperMessage.about)).all() == ["booking"]


def test_the_day_after_tomorrow_s_horizon_moves_with_the_clock(people, clock):
    clock.advance(days=1)
    services.book_half_days(people.member.actor(), date(2027, 2, 23), MORNING)
    assert live() == 1
    assert timedelta(days=90) == date(2027, 2, 23) - date(2026, 11, 25)


def test_what_is_free_instead_is_said_of_what_could_not_be_had(people, place):
    """A room and a desk, of which the desk is gone: desks are offered, and none that was asked for anyway."""
    first, second = place.desks[:2]
    services.book_half_days(people.stranger.actor(), THURSDAY, MORNING, resource=second.public_id)
    items = (RequestedItem(resource=place.rooms[0].public_id), RequestedItem(resource=second.public_id))
    with pytest.raises(ClaimConflict) as refusal:
        services.book(people.member.actor(), Request(hours(9, 10), items))
    names = [free["name"] for free in refusal.value.extra["free"]]
    assert names == [first.name, "Poste 3", "Poste 4"]


# An arrival stays an arrival ------------------------------------------------------------------------------------------


def test_moving_within_the_day_keeps_the_arrival(people, place, clock):
    booking = services.book_half_days(people.member.actor(), TODAY, DAY, resource=place.desks[0].public_id)
    for unit, (outcome, evidence) in zip(booking.units, [("came", "self"), ("absent", "host")], strict=True):
        settle(unit.id, outcome, evidence, clock.now)
    services.move(people.host.actor(), booking.public_id, resource=place.desks[1].public_id)
    db.session.rollback()
    units = db.session.get_one(Booking, booking.id).units
    assert {unit.resource_id for unit in units} == {place.desks[1].id}
    assert [(unit.half, unit.outcome, unit.evidence, unit.decided_at) for unit in units] == [
        ("am", "came", "self", clock.now),
        ("pm", "absent", "host", clock.now),
    ]


def test_moving_to_another_day_takes_no_arrival_along(people, place, clock):
    booking = services.book_half_days(people.member.actor(), TODAY, DAY)
    settle(booking.units[0].id, "came", "self", clock.now)
    tomorrow = Span(booking.starts_at + timedelta(days=1), booking.ends_at + timedelta(days=1))
    services.move(people.host.actor(), booking.public_id, span=tomorrow)
    db.session.rollback()
    units = db.session.get_one(Booking, booking.id).units
    assert [(unit.outcome, unit.evidence, unit.decided_at) for unit in units] == [("pending", None, None)] * 2


def settle(unit_id: int, outcome: str, evidence: str, at: datetime) -> None:
    with write_unit():
        unit = db.session.get_one(BookingUnit, unit_id)
        unit.outcome, unit.evidence, unit.decided_at = outcome, evidence, at
