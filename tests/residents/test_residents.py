"""Assigned desks and offices: nobody else takes them, who sits there books nothing, each month is charged once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from coworking.accounts.models import Person
from coworking.accounts.rules import DatesCross
from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import queries as bookings
from coworking.booking import services as booking
from coworking.booking.models import Booking
from coworking.booking.rules import NothingFree
from coworking.claims.models import Claim
from coworking.claims.rules import ClaimConflict
from coworking.core import checks, erasing
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.timespan import Span
from coworking.core.units import end_read, write_unit
from coworking.presence import services as presence
from coworking.residents import news, queries, services
from coworking.residents.models import Residency
from coworking.residents.rules import (
    WITHOUT_END,
    AlreadyEnds,
    AssignedInThePast,
    GoesOnAlready,
    NothingToMove,
    NoticeTooShort,
    PlaceAssigned,
    PlaceCannotBeAssigned,
    PlaceNotFree,
    PlaceOutOfService,
)
from coworking.residents.services import Assigning
from coworking.spaces import inventory
from coworking.spaces import queries as spaces
from coworking.statistics import facts
from coworking.statistics.models import DayFact
from tests.support import emails as golden
from tests.support.threads import at_once

DAY = frozenset({"am", "pm"})
TODAY, THURSDAY = date(2026, 11, 24), date(2026, 11, 26)
NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
JANUARY_END = date(2027, 1, 31)


def office(lieu, **terms) -> Residency:
    wanted = Assigning(
        place=lieu.office, organisation=lieu.durand, first_day=TODAY, monthly_cents=30000, vat_rate_bp=2000
    )
    return services.assign(lieu.manager, replace(wanted, **terms))


def desk(lieu, **terms) -> Residency:
    wanted = Assigning(
        place=lieu.desk, person=lieu.stranger.public_id, first_day=TODAY, monthly_cents=15000, vat_rate_bp=2000
    )
    return services.assign(lieu.manager, replace(wanted, **terms))


def claims_of(residency) -> list[Claim]:
    db.session.rollback()
    ids = [row.id for row in db.session.get_one(Residency, residency.id).places]
    return list(db.session.scalars(select(Claim).where(Claim.holder_id.in_(ids), Claim.holder_kind == "resident")))


def faults() -> list[str]:
    db.session.rollback()
    return [said for one, found in checks.run() if one.promise in (1, 3) for said in found]


def book(person, place: str, day: date):
    """A whole day at that very desk."""
    return booking.book_half_days(person.actor(), day, DAY, resource=place)


# Nobody else takes it -------------------------------------------------------------------------------------------------


def test_an_assigned_desk_is_taken_without_end(lieu):
    held = desk(lieu)
    (claim,) = claims_of(held)
    assert claim.use == Span(datetime(2026, 11, 23, 23, tzinfo=UTC), WITHOUT_END)
    assert claim.long and claim.expires_at is None
    assert faults() == []


def test_no_booking_lands_on_it_today_or_in_years(lieu):
    desk(lieu)
    for day in (THURSDAY, TODAY + timedelta(days=80)):
        with pytest.raises((ClaimConflict, NothingFree)):
            book(lieu.member, lieu.desk, day)
    whole = spaces.day(THURSDAY).span
    assert lieu.desk not in {row.public_id for row in bookings.free_resources(whole, "desk")}
    assert len(bookings.free_resources(whole, "desk")) == 3
    for _person in range(3):
        booking.book_half_days([lieu.member, lieu.colleague, lieu.stranger][_person].actor(), THURSDAY, DAY)
    with pytest.raises(NothingFree):
        booking.book_half_days(lieu.cast.host.actor(), THURSDAY, DAY)


def test_the_database_refuses_a_second_resident_and_raw_claims(lieu):
    held = desk(lieu)
    with pytest.raises(PlaceNotFree) as taken:
        desk(lieu, person=lieu.member.public_id, first_day=date(2027, 6, 1))
    assert [(one.who, one.last) for one in taken.value.conflicts] == [("Lise Vidal", None)]
    assert taken.value.free_from is None
    (claim,) = claims_of(held)
    start = datetime(2030, 1, 1, tzinfo=UTC)
    row = {"resource_id": claim.resource_id, "holder_kind": "block", "holder_id": 1, "live": True, "long": False}
    row |= {"starts_at": start, "use_starts_at": start, "created_at": start}
    row |= dict.fromkeys(("ends_at", "use_ends_at"), start + timedelta(hours=1))
    with pytest.raises(IntegrityError, match="claim_overlap"), write_unit():
        db.session.execute(insert(Claim), [row])


def test_bookings_in_the_way_are_named_with_their_people_and_nothing_changes(lieu):
    made = book(lieu.member, lieu.desk, THURSDAY)
    later = book(lieu.colleague, lieu.desk, date(2026, 12, 10))
    with pytest.raises(PlaceNotFree) as refused:
        desk(lieu)
    assert [(one.who, one.booking, one.first) for one in refused.value.conflicts] == [
        ("Anne Marchand", made.public_id, THURSDAY),
        ("Karim Benali", later.public_id, date(2026, 12, 10)),
    ]
    assert refused.value.free_from == date(2026, 12, 11)
    assert "Anne" not in str(refused.value.extra)
    assert db.session.scalar(select(func.count(Residency.id))) == 0
    desk(lieu, first_day=date(2026, 12, 11))
    assert faults() == []


def test_of_sixteen_at_once_one_gets_the_office(lieu, app):
    def one() -> str:
        with app.app_context():
            try:
                office(lieu)
            except PlaceNotFree:
                return "taken"
            return "mine"

    assert sorted(at_once([one] * 16)) == ["mine"] + ["taken"] * 15
    assert faults() == []


def test_a_booking_and_an_assignment_at_once_leave_one_of_them(lieu, app):
    def one(number: int) -> str:
        with app.app_context():
            try:
                if number % 2:
                    desk(lieu)
                else:
                    book([lieu.member, lieu.colleague][number // 2 % 2], lieu.desk, THURSDAY)
            except (PlaceNotFree, ClaimConflict, NothingFree):
                return "refused"
            return "done"

    assert at_once([partial(one, number) for number in range(4)]).count("done") == 1
    assert faults() == []


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"first_day": date(2026, 11, 23)}, AssignedInThePast),
        ({"last_day": date(2026, 11, 20)}, DatesCross),
        ({"place": "nothing"}, NotFound),
        ({"person": "nobody"}, NotFound),
        ({"person": None}, NotFound),
        ({"first_day": date(2010, 1, 1)}, AssignedInThePast),
    ],
)
def test_what_cannot_be_assigned_is_refused(lieu, terms, error):
    with pytest.raises(error):
        desk(lieu, **terms)
    assert db.session.scalar(select(func.count(Residency.id))) == 0


def test_rooms_and_retired_places_cannot_be_assigned_nor_by_a_host(lieu):
    with pytest.raises(PlaceCannotBeAssigned):
        desk(lieu, place=lieu.room)
    inventory.retire_resource(lieu.manager, lieu.desk, date(2026, 12, 31))
    with pytest.raises(PlaceOutOfService):
        desk(lieu)
    desk(lieu, last_day=date(2026, 12, 31))
    with pytest.raises(Forbidden):
        services.assign(
            lieu.cast.host.actor(),
            Assigning(place=lieu.other, person=lieu.member.public_id, first_day=TODAY, monthly_cents=0),
        )


def test_a_place_with_a_resident_stays_in_service(lieu):
    desk(lieu, last_day=JANUARY_END)
    with pytest.raises(PlaceAssigned):
        inventory.retire_resource(lieu.manager, lieu.desk, date(2027, 1, 30))
    inventory.retire_resource(lieu.manager, lieu.desk, JANUARY_END)
    assert faults() == []


# Moving, ending -------------------------------------------------------------------------------------------------------


def test_a_resident_moves_and_the_former_place_is_free_from_that_day(lieu):
    held = desk(lieu)
    services.move(lieu.manager, held.public_id, lieu.other, THURSDAY)
    assert faults() == []
    with pytest.raises((ClaimConflict, NothingFree)):
        book(lieu.member, lieu.desk, TODAY + timedelta(days=1))
    book(lieu.member, lieu.desk, THURSDAY)
    with pytest.raises((ClaimConflict, NothingFree)):
        book(lieu.colleague, lieu.other, THURSDAY)
    sits = [queries.own_places(lieu.stranger.id, day)[0].name for day in (TODAY, THURSDAY)]
    assert sits == ["Poste 1", "Poste 2"]


def test_a_move_on_the_first_day_or_to_a_taken_place(lieu):
    held = desk(lieu)
    book(lieu.member, lieu.other, THURSDAY)
    with pytest.raises(PlaceNotFree):
        services.move(lieu.manager, held.public_id, lieu.other, TODAY)
    with pytest.raises(NothingToMove):
        services.move(lieu.manager, held.public_id, lieu.desk, THURSDAY)
    services.move(lieu.manager, held.public_id, lieu.office, TODAY)
    db.session.rollback()
    assert [row.resource.name for row in queries.residency_by_public_id(held.public_id).places] == ["Bureau Lavande"]
    book(lieu.member, lieu.desk, date(2026, 12, 1))
    assert faults() == []


def test_it_ends_and_the_place_can_be_booked_the_day_after(lieu):
    held = desk(lieu)
    with pytest.raises(NoticeTooShort):
        services.end(lieu.manager, held.public_id, date(2026, 11, 30))
    services.end(lieu.manager, held.public_id, date(2026, 12, 31))
    with pytest.raises(AlreadyEnds):
        services.end(lieu.manager, held.public_id, JANUARY_END)
    with pytest.raises((ClaimConflict, NothingFree)):
        book(lieu.member, lieu.desk, date(2026, 12, 31))
    book(lieu.member, lieu.desk, date(2027, 1, 4))
    assert faults() == []


def test_an_end_takes_a_planned_move_with_it(lieu):
    held = desk(lieu)
    services.move(lieu.manager, held.public_id, lieu.other, date(2027, 1, 10))
    services.end(lieu.manager, held.public_id, date(2026, 12, 31))
    db.session.rollback()
    assert len(queries.residency_by_public_id(held.public_id).places) == 1
    book(lieu.member, lieu.other, date(2027, 1, 11))
    assert faults() == []


def test_an_end_is_taken_back_unless_somebody_has_booked_since(lieu):
    held = desk(lieu)
    with pytest.raises(GoesOnAlready):
        services.keep(lieu.manager, held.public_id)
    services.end(lieu.manager, held.public_id, date(2026, 12, 31))
    services.keep(lieu.manager, held.public_id)
    assert claims_of(held)[0].use_ends_at == WITHOUT_END
    services.end(lieu.manager, held.public_id, date(2026, 12, 31))
    made = book(lieu.member, lieu.desk, date(2027, 1, 4))
    with pytest.raises(PlaceNotFree) as refused:
        services.keep(lieu.manager, held.public_id)
    assert [one.booking for one in refused.value.conflicts] == [made.public_id]
    assert faults() == []


def test_what_has_not_begun_is_taken_back_as_if_it_had_never_been(lieu):
    held = desk(lieu, first_day=DECEMBER)
    services.take_back(lieu.manager, held.public_id)
    services.take_back(lieu.manager, held.public_id)
    book(lieu.member, lieu.desk, DECEMBER)
    charges.gather(NOVEMBER)
    assert db.session.scalar(select(func.count(Charge.id)).where(Charge.source == "place")) == 0
    begun = desk(lieu, place=lieu.other)
    with pytest.raises(AlreadyEnds):
        services.take_back(lieu.manager, begun.public_id)
    assert faults() == []


# Money ----------------------------------------------------------------------------------------------------------------


def charged(residency) -> list[tuple[date, date, int, str]]:
    db.session.rollback()
    rows = db.session.execute(
        select(Charge.month, Charge.due_month, Charge.amount_cents, Charge.label)
        .where(Charge.source == "place", Charge.source_id == residency.id)
        .order_by(Charge.month)
    )
    return [tuple(row) for row in rows]


def test_each_month_is_charged_once_a_month_ahead(lieu, clock):
    held = office(lieu)
    for _again in range(2):
        charges.gather_recent()
    assert charged(held) == [
        (NOVEMBER, NOVEMBER, 7000, "Bureau Lavande, bureau attitré, du 24 novembre au 30 novembre 2026")
    ]
    assert faults() == []
    clock.set(datetime(2026, 12, 1, 9, tzinfo=UTC))
    for _again in range(3):
        charges.gather_recent()
    assert charged(held)[1:] == [(DECEMBER, NOVEMBER, 30000, "Bureau Lavande, bureau attitré, décembre 2026")]
    charge = db.session.scalars(select(Charge).where(Charge.month == DECEMBER, Charge.source == "place")).one()
    assert (charge.payer_organisation_id is not None, charge.payer_person_id, charge.person_id) == (True, None, None)
    assert charge.amount_cents == services.payable(db.session.get_one(Residency, held.id), DECEMBER)
    clock.advance(days=2)
    assert faults() == []


def test_a_month_that_was_forgotten_is_found_by_the_nightly_check(lieu, clock):
    desk(lieu)
    clock.advance(days=1)
    assert any("costs 3500 and 0 is charged" in said for said in faults())
    charges.gather_recent()
    assert faults() == []


def test_nothing_is_charged_before_the_first_day_nor_after_the_last(lieu, clock):
    held = desk(lieu, first_day=date(2026, 12, 15), last_day=date(2027, 1, 10))
    for day in (date(2026, 12, 2), date(2026, 12, 16), date(2027, 1, 2), date(2027, 2, 3)):
        clock.set(datetime(day.year, day.month, day.day, 9, tzinfo=UTC))
        charges.gather_recent()
        assert [row for row in charged(held) if row[0] > day] == []
        assert day.month != 12 or day.day > 14 or charged(held) == []
    assert [(month, cents) for month, _due, cents, _label in charged(held)] == [(DECEMBER, 8226), (JANUARY, 4839)]
    assert faults() == []


def test_a_move_costs_nothing_and_both_places_are_named(lieu, clock):
    held = desk(lieu)
    services.move(lieu.manager, held.public_id, lieu.other, THURSDAY)
    clock.advance(days=1)
    charges.gather_recent()
    assert [row[2:] for row in charged(held)] == [
        (3500, "Poste 1, puis Poste 2, poste attitré, du 24 novembre au 30 novembre 2026")
    ]
    assert faults() == []


def test_a_free_place_is_never_charged(lieu, clock):
    held = desk(lieu, monthly_cents=0)
    clock.advance(days=10)
    charges.gather_recent()
    assert charged(held) == [] and faults() == []


# Being there, figures -------------------------------------------------------------------------------------------------


def test_a_resident_is_there_without_taking_another_desk(lieu, clock):
    desk(lieu)
    office(lieu)
    for person in (lieu.stranger, lieu.member, lieu.colleague):
        arrival = presence.arrive(person.actor())
        assert arrival.booking is None and not arrival.walked_in
    clock.advance(hours=6)
    assert presence.leave(lieu.member.actor()).counted == ()
    assert db.session.scalar(select(func.count(Booking.id))) == 0


def test_who_had_a_place_takes_a_desk_again_once_it_is_over(lieu, clock):
    desk(lieu, last_day=TODAY)
    clock.advance(days=1)
    arrival = presence.arrive(lieu.stranger.actor())
    assert arrival.walked_in


def test_figures_leave_assigned_places_out_of_what_is_offered(lieu, clock):
    desk(lieu)
    office(lieu)
    presence.arrive(lieu.stranger.actor())
    clock.advance(days=1)
    facts.refresh(TODAY, TODAY)
    day = db.session.scalars(select(DayFact).where(DayFact.day == TODAY)).one()
    assert (day.desk_offered, day.desk_resident, day.desk_booked, day.desk_attended) == (6, 2, 0, 0)
    assert day.workers == 1
    assert day.room_offered == 2 * 9 * 60


# Who sees what --------------------------------------------------------------------------------------------------------


def test_the_people_of_an_organisation_see_their_office_and_its_contact_what_it_costs(lieu):
    held = office(lieu)
    assert [one.name for one in queries.own_places(lieu.member.id, TODAY)] == ["Bureau Lavande"]
    assert queries.own_places(lieu.stranger.id, TODAY) == []
    assert queries.residency_for(lieu.colleague.actor(), held.public_id).id == held.id
    for person in (lieu.member, lieu.stranger, lieu.cast.host):
        with pytest.raises(NotFound):
            queries.residency_for(person.actor(), held.public_id)


def test_an_account_with_a_place_is_not_erased(lieu):
    desk(lieu)
    said = [one.words for one in erasing.hindrances(lieu.stranger.id)]
    assert any("assigned" in words or "attribué" in words for words in said)


# E-mails --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_step_is_told(lieu, clock, run_outbox, mailbox, language):
    with write_unit():
        db.session.get_one(Person, lieu.colleague.id).locale = language
        db.session.get_one(Person, lieu.stranger.id).locale = language

    def told(name: str) -> None:
        run_outbox()
        golden.check(mailbox()[-1], name)

    held = office(lieu, min_months=6, notice_months=2)
    told("residents/place_news-assigned")
    services.move(lieu.manager, held.public_id, lieu.desk, date(2026, 12, 1))
    told("residents/place_news-moved")
    services.end(lieu.manager, held.public_id, date(2027, 5, 31))
    told("residents/place_news-ended")
    services.keep(lieu.manager, held.public_id)
    told("residents/place_news-kept")
    services.end(lieu.manager, held.public_id, date(2027, 5, 31))
    run_outbox()
    clock.set(datetime(2027, 5, 3, 9, tzinfo=UTC))
    end_read()
    assert news.warn_of_ending() == 1
    told("residents/place_news-ends_soon")
    assert news.warn_of_ending() == 0
    gone = desk(lieu, place=lieu.office, first_day=date(2027, 8, 1), monthly_cents=0, last_day=date(2027, 8, 31))
    run_outbox()
    services.take_back(lieu.manager, gone.public_id)
    told("residents/place_news-taken_back")
