"""What a booking costs and who pays: frozen when it is made, released or kept when it is cancelled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import LateMove
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.membership import coverage, entitlement_queries
from coworking.membership.agreement_rules import AgreementExhausted, NoAgreement
from coworking.membership.entitlement import PriceChanged, UndoChangesPrice
from coworking.membership.models import LedgerEntry
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces.models import Lieu
from tests.factories import make_agreement, make_subscription, make_tariff

THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
NOVEMBER = date(2026, 11, 1)
MORNING, AFTERNOON, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})


def at(hour: int, minute: int = 0, day: int = 26) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def quotes() -> list[tuple[str, int, str]]:
    """Every quote's cover, amount and state, in the order they were made."""
    rows = db.session.execute(select(Quote.cover, Quote.amount_cents, Quote.state).order_by(Quote.id))
    return [tuple(row) for row in rows]


def ledger() -> list[str]:
    return list(db.session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.id)))


def used(person, allowance: str = "agreement", month: date = NOVEMBER) -> int:
    found = entitlement_queries.entitlements_of(person.id, [month.replace(day=28)])
    counts = found.used_of_agreement if allowance == "agreement" else found.used_of_subscription
    return sum((counts or {}).values())


def room(payers, hours: tuple[int, int], place, payer=None, day: int = 26) -> Booking:
    span = Span(at(hours[0], day=day), at(hours[1], day=day))
    return services.book(
        payers.member.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),), payer=payer)
    )


# Booking --------------------------------------------------------------------------------------------------------------


def test_each_unit_freezes_what_it_costs_and_who_pays(payers):
    booking = services.book_half_days(payers.stranger.actor(), THURSDAY, DAY)
    found = [unit.quote for unit in booking.units]
    assert [(q.cover, q.amount_cents, q.half, q.minutes, q.state) for q in found] == [
        ("tariff", 900, "am", 240, "live"),
        ("tariff", 900, "pm", 300, "live"),
    ]
    assert {(q.payer_person_id, q.payer_organisation_id, q.day) for q in found} == {
        (payers.stranger.id, None, THURSDAY)
    }
    assert ledger() == []


def test_vat_only_where_the_lieu_is_taxable(payers):
    first = services.book_half_days(payers.stranger.actor(), THURSDAY, MORNING)
    with write_unit():
        db.session.get(Lieu, 1).vat_status = "taxable"
    second = services.book_half_days(payers.stranger.actor(), THURSDAY, AFTERNOON)
    assert [b.units[0].quote.vat_rate_bp for b in (first, second)] == [0, 2000]


def test_a_later_tariff_changes_nothing_of_what_was_quoted(payers):
    booking = services.book_half_days(payers.stranger.actor(), FRIDAY, MORNING)
    make_tariff(desk=1200, valid_from=FRIDAY)
    assert booking.units[0].quote.amount_cents == 900
    later = services.book_half_days(payers.stranger.actor(), FRIDAY, AFTERNOON)
    assert later.units[0].quote.amount_cents == 1200


def test_without_a_tariff_everything_is_free(inside, place, cast):
    booking = services.book_half_days(cast.stranger.actor(), THURSDAY, MORNING, agreed_cents=0)
    assert (booking.units[0].quote.cover, booking.units[0].quote.amount_cents) == ("free", 0)


def test_the_employer_pays_and_its_allowance_is_held(payers):
    make_agreement(halfdays=3)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, DAY, agreed_cents=0)
    assert {unit.quote.payer_organisation.name for unit in booking.units} == {"Coutellerie Durand SA"}
    assert quotes() == [("agreement", 900, "live")] * 2
    assert used(payers.member) == 2
    assert used(payers.colleague) == 0


def test_a_personal_day_never_touches_the_employer_s_allowance_nor_the_reverse(payers):
    make_agreement(halfdays=2)
    make_subscription(payers.member, halfdays=2)
    services.book_half_days(payers.member.actor(), THURSDAY, MORNING, payer="me")
    services.book_half_days(payers.member.actor(), THURSDAY, AFTERNOON, payer="employer")
    assert (used(payers.member), used(payers.member, "subscription")) == (1, 1)
    assert [cover for cover, _, _ in quotes()] == ["subscription", "agreement"]


def test_beyond_the_agreement_the_person_pays_or_is_refused_and_may_choose(payers):
    make_agreement(halfdays=1, beyond="refuse")
    services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    with pytest.raises(AgreementExhausted):
        services.book_half_days(payers.member.actor(), THURSDAY, AFTERNOON)
    assert db.session.scalar(select(func.count()).select_from(Booking)) == 1
    services.book_half_days(payers.member.actor(), THURSDAY, AFTERNOON, payer="me")
    assert quotes() == [("agreement", 900, "live"), ("tariff", 900, "live")]


def test_an_organisation_pays_only_for_its_own_people(payers):
    make_agreement()
    with pytest.raises(NoAgreement):
        services.book_half_days(payers.stranger.actor(), THURSDAY, MORNING, payer="employer")


def test_a_price_that_was_not_agreed_to_is_refused_and_nothing_is_booked(payers):
    with pytest.raises(PriceChanged) as refusal:
        services.book_half_days(payers.stranger.actor(), THURSDAY, MORNING, agreed_cents=0)
    assert refusal.value.params["amount"] == 900
    assert quotes() == []
    services.book_half_days(payers.stranger.actor(), THURSDAY, MORNING, agreed_cents=900)
    make_subscription(payers.colleague)
    services.book_half_days(payers.colleague.actor(), THURSDAY, MORNING, agreed_cents=0)


def test_rooms_cost_by_the_minute_and_are_paid_by_the_person(payers, place):
    make_agreement()
    span = Span(at(9), at(10, 15))
    booking = services.book(payers.member.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))
    quote = booking.units[0].quote
    assert (quote.cover, quote.unit, quote.minutes, quote.amount_cents) == ("tariff", "hour", 75, 1875)
    with pytest.raises(NoAgreement):
        room(payers, (14, 15), place, payer="employer")


# Cancelling -----------------------------------------------------------------------------------------------------------


def test_cancelled_in_time_nothing_is_owed_and_the_allowance_returns(payers):
    make_agreement(halfdays=1, beyond="refuse")
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    services.cancel(payers.member.actor(), booking.public_id)
    assert quotes() == [("agreement", 900, "released")]
    assert (ledger(), used(payers.member)) == (["hold", "release"], 0)
    services.book_half_days(payers.member.actor(), FRIDAY, MORNING)


def test_cancelled_late_it_stays_owed_and_used(payers, clock):
    make_subscription(payers.member, halfdays=1)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    clock.set(at(20, day=25))
    services.cancel(payers.member.actor(), booking.public_id)
    assert quotes() == [("subscription", 0, "kept")]
    assert (ledger(), used(payers.member, "subscription")) == (["hold"], 1)
    clock.set(at(9, day=28))
    assert coverage.consume_past() == 1


def test_an_undone_cancellation_keeps_its_terms(payers, clock):
    make_agreement(halfdays=1, beyond="refuse")
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    services.cancel(payers.member.actor(), booking.public_id)
    restored = services.undo_cancel(payers.member.actor(), booking.public_id)
    assert restored.units[0].quote.state == "live"
    assert quotes() == [("agreement", 900, "released"), ("agreement", 900, "live")]
    assert used(payers.member) == 1


def test_an_undone_late_cancellation_is_owed_once(payers, clock):
    booking = services.book_half_days(payers.stranger.actor(), THURSDAY, DAY)
    clock.set(at(20, day=25))
    services.cancel(payers.stranger.actor(), booking.public_id)
    services.undo_cancel(payers.stranger.actor(), booking.public_id)
    assert quotes() == [("tariff", 900, "released")] * 2 + [("tariff", 900, "live")] * 2


def test_an_undo_is_refused_when_its_half_day_went_to_another_booking(payers):
    make_subscription(payers.member, halfdays=1)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    services.cancel(payers.member.actor(), booking.public_id)
    services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    with pytest.raises(UndoChangesPrice):
        services.undo_cancel(payers.member.actor(), booking.public_id)
    assert quotes() == [("subscription", 0, "released"), ("subscription", 0, "live")]


# Moving ---------------------------------------------------------------------------------------------------------------


def test_a_move_is_quoted_anew_and_keeps_its_payer(payers, place):
    make_subscription(payers.member, halfdays=2)
    make_agreement(weekdays=0b0001000)  # Thursdays
    mine = services.book_half_days(payers.member.actor(), THURSDAY, MORNING, payer="me")
    services.move(payers.member.actor(), mine.public_id, resource=place.desks[2].public_id)
    assert quotes() == [("subscription", 0, "released"), ("subscription", 0, "live")]
    theirs = services.book_half_days(payers.member.actor(), THURSDAY, AFTERNOON)
    with pytest.raises(NoAgreement):
        services.move(payers.member.actor(), theirs.public_id, span=Span(at(14, day=27), at(18, day=27)))
    assert (used(payers.member), used(payers.member, "subscription")) == (1, 1)


def test_moving_the_last_half_day_of_an_allowance_does_not_stand_in_its_own_way(payers):
    make_agreement(halfdays=1, beyond="refuse")
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    services.move(payers.member.actor(), booking.public_id, span=Span(at(9, day=27), at(13, day=27)))
    assert used(payers.member) == 1


def test_a_late_move_cannot_replace_a_cancellation(payers, place, clock):
    desk = services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    meeting = room(payers, (9, 11), place)
    clock.set(at(20, day=25))
    with pytest.raises(LateMove):
        services.move(payers.member.actor(), desk.public_id, span=Span(at(9, day=27), at(18, day=27)))
    with pytest.raises(LateMove):
        services.move(payers.member.actor(), meeting.public_id, span=Span(at(9), at(10)))
    services.move(payers.member.actor(), desk.public_id, resource=place.desks[3].public_id)
    services.move(payers.member.actor(), meeting.public_id, span=Span(at(14), at(17)))
    services.move(payers.host.actor(), desk.public_id, span=Span(at(9, day=27), at(13, day=27)))
    live = [(cover, cents) for cover, cents, state in quotes() if state == "live"]
    assert live == [("tariff", 4500), ("tariff", 900)]


# At the door ----------------------------------------------------------------------------------------------------------


def test_a_walk_in_beyond_the_agreement_is_let_in_and_pays(payers):
    make_agreement(halfdays=1, beyond="refuse")
    services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    arrival = presence.arrive(payers.member.actor())
    assert arrival.walked_in
    assert quotes() == [("agreement", 900, "live"), ("tariff", 900, "live")]


def test_an_undone_walk_in_costs_nothing(payers):
    make_subscription(payers.stranger, halfdays=5)
    arrival = presence.arrive(payers.host.actor(), person=payers.stranger.public_id)
    assert used(payers.stranger, "subscription") == 1
    presence.undo_arrival(payers.host.actor(), arrival.presence.public_id)
    assert used(payers.stranger, "subscription") == 0
    assert quotes() == [("subscription", 0, "released")]


def test_a_meeting_ended_early_costs_what_was_booked(payers, place, clock):
    meeting = room(payers, (14, 16), place, day=24)
    clock.set(at(15, day=24))
    presence.set_free(payers.host.actor(), meeting.public_id)
    assert quotes() == [("tariff", 3000, "live")]


# Days go by -----------------------------------------------------------------------------------------------------------


def test_held_half_days_are_consumed_once_their_day_is_over(payers, clock):
    make_agreement()
    kept = services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    back = services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    services.cancel(payers.member.actor(), back.public_id)
    clock.set(at(23, 59, day=26))
    assert coverage.consume_past() == 0
    clock.advance(minutes=1)
    assert coverage.consume_past() == 2
    assert coverage.consume_past() == 0
    assert sorted(ledger()) == ["consume"] * 2 + ["hold"] * 3 + ["release"]
    assert used(payers.member) == 2
    consumed = select(LedgerEntry.quote_id).where(LedgerEntry.kind == "consume")
    assert set(db.session.scalars(consumed)) == {unit.quote_id for unit in kept.units}


def test_an_allowance_belongs_to_the_month_of_use(payers, clock):
    make_subscription(payers.member, halfdays=1)
    for day in (THURSDAY, date(2026, 12, 1)):
        services.book_half_days(payers.member.actor(), day, MORNING, agreed_cents=0)
    with pytest.raises(PriceChanged):
        services.book_half_days(payers.member.actor(), date(2026, 12, 2), MORNING, agreed_cents=0)


def test_what_is_left_is_said_until_the_end_of_the_month(payers):
    make_agreement(halfdays=4)
    make_subscription(payers.member, halfdays=None)
    services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    found = entitlement_queries.remaining(payers.member.id, THURSDAY)
    assert [(r.employer, r.left, r.total, r.until) for r in found] == [
        (True, 2, 4, date(2026, 11, 30)),
        (False, None, None, date(2026, 11, 30)),
    ]


# How much it costs the database ---------------------------------------------------------------------------------------


def test_entitlements_add_few_statements_to_a_booking(payers, count_statements):
    make_agreement(halfdays=200)
    make_subscription(payers.member, halfdays=200)
    services.book_half_days(payers.member.actor(), FRIDAY + timedelta(days=7), MORNING)  # its e-mail waits for the rest
    with count_statements() as few:
        services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    for n in range(1, 5):
        services.book_half_days(payers.member.actor(), THURSDAY + timedelta(days=7 * n), MORNING)
    with count_statements() as many:
        services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    assert len(many) == len(few)
    assert len(many) <= 22, many
    money = [s for s in many if any(t in s for t in ("agreement", "subscription", "tariff", "ledger", "INTO quote"))]
    assert len([s for s in money if s.startswith("SELECT")]) <= 4
    assert len([s for s in money if s.startswith("INSERT")]) == 2
