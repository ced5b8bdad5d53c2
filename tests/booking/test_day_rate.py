"""A whole day costs less than two half-days, however it was booked; giving one half up is said and priced."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from coworking.booking import services
from coworking.booking.moving import Agreed
from coworking.booking.repaying import change_payer
from coworking.core import sales
from coworking.core.db import db
from coworking.core.displaced import Toll
from coworking.core.units import write_unit
from coworking.membership.entitlement import PriceChanged, UndoChangesPrice
from coworking.pricing.models import Quote
from coworking.spaces import services as spaces
from coworking.spaces.calendar import lock_lieu
from coworking.spaces.rules import Closing
from tests import factories
from tests.support.threads import at_once

THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
MORNING, AFTERNOON, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})


@pytest.fixture
def lieu(app: Flask, place, cast):
    """A half-day costs 9 €, a day 15 €."""
    with app.app_context():
        factories.make_tariff(day=1500)
        yield cast


def book(person, halves, day: date = THURSDAY, **more) -> str:
    return services.book_half_days(person.actor(), day, halves, **more).public_id


def owed(day: date = THURSDAY) -> list[tuple[str | None, int, int | None]]:
    """What is owed for each half-day of ``day``: half, cents, and what it would cost alone."""
    db.session.expire_all()
    rows = db.session.scalars(
        select(Quote).where(Quote.day == day, Quote.state != "released").order_by(Quote.half, Quote.id)
    )
    return [(row.half, row.amount_cents, row.alone_cents) for row in rows]


WHOLE = [("am", 900, None), ("pm", 600, 900)]


def test_a_whole_day_costs_the_day_rate(lieu):
    book(lieu.member, DAY, agreed_cents=1500)
    assert owed() == WHOLE


def test_the_other_half_booked_later_costs_what_is_left_of_it(lieu):
    book(lieu.member, AFTERNOON, agreed_cents=900)
    with pytest.raises(PriceChanged):
        book(lieu.member, MORNING, agreed_cents=900)
    book(lieu.member, MORNING, agreed_cents=600)
    assert owed() == [("am", 600, 900), ("pm", 900, None)]


def test_of_two_people_each_pays_their_own_half(lieu):
    book(lieu.member, MORNING)
    book(lieu.colleague, AFTERNOON)
    assert owed() == [("am", 900, None), ("pm", 900, None)]


def test_the_first_is_given_up_and_the_second_costs_a_half_day(lieu):
    morning = book(lieu.member, MORNING)
    book(lieu.member, AFTERNOON)
    services.cancel(lieu.member.actor(), morning)
    assert owed() == [("pm", 900, None)]


def test_the_second_is_given_up_and_nothing_else_changes(lieu):
    book(lieu.member, MORNING)
    services.cancel(lieu.member.actor(), book(lieu.member, AFTERNOON))
    assert owed() == [("am", 900, None)]


def test_giving_up_and_taking_back_costs_what_it_cost(lieu):
    morning = book(lieu.member, MORNING)
    book(lieu.member, AFTERNOON)
    services.cancel(lieu.member.actor(), morning)
    services.undo_cancel(lieu.member.actor(), morning)
    assert owed() == WHOLE
    services.cancel(lieu.member.actor(), morning)
    services.undo_cancel(lieu.member.actor(), morning)
    assert owed() == WHOLE


def test_a_second_whose_first_went_meanwhile_does_not_come_back_at_its_price(lieu):
    morning, afternoon = book(lieu.member, MORNING), book(lieu.member, AFTERNOON)
    services.cancel(lieu.member.actor(), afternoon)
    services.cancel(lieu.member.actor(), morning)
    with pytest.raises(UndoChangesPrice):
        services.undo_cancel(lieu.member.actor(), afternoon)
    services.undo_cancel(lieu.member.actor(), morning)
    services.undo_cancel(lieu.member.actor(), afternoon)
    assert owed() == WHOLE


def test_too_late_to_be_given_up_both_stay_owed(lieu, clock):
    morning = book(lieu.member, MORNING)
    book(lieu.member, AFTERNOON)
    clock.advance(days=1, hours=10)  # Wednesday evening, after the hour
    services.cancel(lieu.member.actor(), morning)
    assert owed() == WHOLE


def test_what_staff_undo_as_their_mistake_makes_nothing_dearer(lieu):
    morning = book(lieu.member, MORNING)
    book(lieu.member, AFTERNOON)
    services.cancel(lieu.host.actor(), morning, mistake=True)
    assert owed() == [("pm", 600, 900)]


def test_a_half_day_the_lieu_closes_makes_nothing_dearer(lieu, run_outbox):
    book(lieu.member, DAY)
    spaces.add_closure(
        lieu.manager.actor(), Closing(THURSDAY, THURSDAY, 0, 13 * 60, "Travaux"), agreed=Toll(shortened=1)
    )
    run_outbox()
    assert owed() == [("pm", 600, 900)]


def test_moved_away_the_first_takes_the_day_rate_with_it(lieu):
    morning = book(lieu.member, MORNING)
    book(lieu.member, AFTERNOON)
    friday = services.book_half_days(lieu.colleague.actor(), FRIDAY, MORNING).span
    with pytest.raises(PriceChanged):  # « same price » was said of this booking, and another one changes
        services.move(lieu.member.actor(), morning, span=friday, agreed=Agreed(same=True))
    services.move(lieu.member.actor(), morning, span=friday, agreed=Agreed(900, 0))
    assert owed() == [("pm", 900, None)]
    services.undo_move(lieu.member.actor(), morning)
    assert owed() == WHOLE


def test_moved_to_another_desk_of_the_same_day_it_keeps_it(lieu, place):
    morning = book(lieu.member, MORNING)
    book(lieu.member, AFTERNOON)
    services.move(lieu.member.actor(), morning, resource=place.desks[3].public_id, agreed=Agreed(same=True))
    assert owed() == WHOLE


def test_a_half_day_made_a_whole_one_costs_the_day_rate(lieu):
    morning = book(lieu.member, MORNING)
    whole = services.book_half_days(lieu.colleague.actor(), THURSDAY, DAY)
    services.cancel(lieu.colleague.actor(), whole.public_id)
    services.move(lieu.member.actor(), morning, span=whole.span, agreed=Agreed(1500, 0))
    assert owed() == WHOLE


def test_an_undone_move_to_a_day_that_counts_on_it_is_refused(lieu):
    tuesday = book(lieu.member, MORNING)
    friday = services.book_half_days(lieu.colleague.actor(), FRIDAY, MORNING).span
    services.move(lieu.member.actor(), tuesday, span=friday)
    book(lieu.member, AFTERNOON, FRIDAY)
    with pytest.raises(UndoChangesPrice):
        services.undo_move(lieu.member.actor(), tuesday)
    assert owed(FRIDAY)[-1] == ("pm", 600, 900)


def test_the_employer_pays_the_day_rate_too_where_it_pays_all_the_tariff_asks(lieu):
    factories.make_agreement()
    book(lieu.member, DAY)
    assert owed() == WHOLE
    change_payer(
        lieu.member.actor(),
        services.book_half_days(lieu.member.actor(), FRIDAY, MORNING).public_id,
        "me",
        Agreed(900, 0),
    )
    book(lieu.member, AFTERNOON, FRIDAY)
    assert owed(FRIDAY) == [("am", 900, None), ("pm", 900, None)], "each pays a half-day"


def test_another_payer_for_the_first_makes_the_second_stand_alone(lieu):
    factories.make_agreement()
    morning = book(lieu.member, MORNING)
    book(lieu.member, AFTERNOON)
    assert owed() == WHOLE
    change_payer(lieu.member.actor(), morning, "me", Agreed(900, 0))
    assert owed() == [("am", 900, None), ("pm", 900, None)]


@pytest.mark.parametrize("terms", [{"cents": 800}, {"share_bp": 7000}, {"cap_cents": 5000, "cap_of": "person"}])
def test_an_agreement_with_terms_of_its_own_has_no_day_rate(lieu, terms):
    factories.make_agreement(**terms)
    book(lieu.member, DAY)
    cents = terms.get("cents", 630 if "share_bp" in terms else 900)
    assert [row[1:] for row in owed() if row[1] in (cents, 900)] == [(cents, None)] * 2


def test_a_plan_that_covers_one_half_leaves_no_day_rate(lieu):
    factories.make_subscription(lieu.member, halfdays=1)
    book(lieu.member, DAY)
    assert owed() == [("am", 0, None), ("pm", 900, None)]


def test_what_is_not_paid_yet_makes_nothing_cheaper(lieu, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: True])
    with write_unit():
        lock_lieu().pay_first_desks = "everyone"
    held = services.book_half_days(lieu.stranger.actor(), THURSDAY, MORNING)
    assert held.is_held
    with write_unit():
        lock_lieu().pay_first_desks = "nobody"
    book(lieu.stranger, AFTERNOON, agreed_cents=900)
    services.cancel(lieu.stranger.actor(), held.public_id)
    assert owed() == [("pm", 900, None)]


def test_one_day_is_cheaper_once_whoever_asks_at_once(app, lieu):
    book(lieu.member, MORNING)
    cancelled = [book(lieu.member, AFTERNOON)]
    services.cancel(lieu.member.actor(), cancelled[0])
    db.session.remove()
    actor = lieu.member.actor()

    def ask() -> str:
        with app.app_context():
            try:
                return services.book_half_days(actor, THURSDAY, AFTERNOON).public_id
            except Exception as error:
                return type(error).__name__

    at_once([ask] * 8)
    assert owed() == WHOLE
