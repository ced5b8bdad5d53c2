"""A booking that must be paid first is held: it takes its place, counts nowhere, and is confirmed or let go."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select

from coworking.booking import endings, queries, services
from coworking.booking.models import Booking
from coworking.booking.rules import AlreadyInRoom, HeldBooking, NothingFree, PaidAhead, UndoTooLate
from coworking.claims.rules import ClaimConflict
from coworking.core import sales
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.pricing.services import set_tariff
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closing
from tests.booking.held import as_it_is, ask_first, book_room, expire, faults, hours, pay, sale_of
from tests.factories import make_subscription, make_tariff
from tests.support.threads import at_once


@pytest.fixture(autouse=True)
def payable(app, monkeypatch):
    """Anything can be paid at once here."""
    monkeypatch.setattr(sales, "_asked", [lambda cents: True])


@pytest.fixture
def first(payers):
    ask_first()
    return payers


def live(booking: Booking) -> list[bool]:
    """Of each of its claims: whether it is only held."""
    db.session.rollback()
    return [claim.expires_at is not None for claim in queries.live_claims(booking.id)]


def states(booking: Booking) -> list[str]:
    db.session.rollback()
    return [quote.state for quote in queries.quotes_of(booking.id)]


def test_what_must_be_paid_first_is_held_with_its_price(first, place, clock):
    booking = book_room(first.stranger, place.rooms[0])
    sale = sale_of(booking)
    assert (booking.status, booking.held_until, live(booking)) == ("held", sale.expires_at, [True])
    assert (sale.cents, sale.state, sale.payer_person_id) == (3000, "open", first.stranger.id)
    assert [line["cents"] for line in sale.lines] == [3000]
    assert (sale.expires_at - clock.now).seconds == 15 * 60
    assert states(booking) == ["live"]


def test_without_a_rule_or_without_a_way_to_pay_nothing_is_held(payers, place, monkeypatch):
    assert book_room(payers.stranger, place.rooms[0]).status == "confirmed"
    ask_first()
    monkeypatch.setattr(sales, "_asked", [lambda cents: False])
    assert book_room(payers.member, place.rooms[1]).status == "confirmed"


def test_who_has_a_plan_then_pays_later_where_the_lieu_says_so(payers, place):
    ask_first(pay_first_rooms="no_plan")
    make_subscription(payers.member, halfdays=2)
    assert book_room(payers.member, place.rooms[0]).status == "confirmed"
    assert book_room(payers.stranger, place.rooms[1]).status == "held"


def test_staff_choose_whether_to_ask(first, place):
    asked = {"person": first.stranger.public_id}
    assert book_room(first.host, place.rooms[0], **asked).status == "confirmed"
    assert book_room(first.host, place.rooms[1], hours(14, 15), **asked, pay_first=True).status == "held"


def test_a_held_place_is_taken_and_its_person_is_there(first, place):
    booking = book_room(first.stranger, place.rooms[0])
    with pytest.raises(ClaimConflict):
        book_room(first.member, place.rooms[0])
    with pytest.raises(AlreadyInRoom):
        book_room(first.stranger, place.rooms[1])
    with pytest.raises(ClaimConflict):  # a second tap, or a second tab
        book_room(first.stranger, place.rooms[0])
    assert db.session.scalars(select(Booking.id)).all() == [booking.id]


def test_it_is_in_no_figure_and_nothing_but_paying_or_cancelling_is_done_to_it(
    first, place, clock, mailbox, run_outbox
):
    booking = book_room(first.stranger, place.rooms[0])
    assert queries.day_bookings(booking.day) == []
    for act in (
        lambda: services.move(first.stranger.actor(), booking.public_id, span=hours(14, 16)),
        lambda: presence.check_in(first.host.actor(), booking.public_id),
    ):
        with pytest.raises(HeldBooking):
            act()
    with pytest.raises(HeldBooking), write_unit():
        endings.end(first.host.actor(), db.session.get_one(Booking, booking.id))
    clock.advance(minutes=12)
    run_outbox()
    assert mailbox() == []


def test_payment_confirms_it_at_the_price_agreed_whatever_prices_are_now(first, place, clock, mailbox, run_outbox):
    booking = book_room(first.stranger, place.rooms[0])
    set_tariff(
        first.manager.actor(),
        valid_from=clock.now.date(),
        basis="ttc",
        vat_rate_bp=0,
        by_kind={"room": 9900},
        by_resource={},
    )
    assert pay(booking) and pay(booking)
    booking = as_it_is(booking)
    assert (booking.status, booking.held_until, live(booking)) == ("confirmed", None, [False])
    assert (sale_of(booking).state, sale_of(booking).cents) == ("paid", 3000)
    assert [quote.amount_cents for quote in queries.quotes_of(booking.id)] == [3000]
    clock.advance(minutes=12)
    run_outbox()
    assert len(mailbox()) == 1
    assert faults() == []


def test_when_the_time_is_over_the_place_is_free_and_nothing_is_owed(first, place):
    booking = book_room(first.stranger, place.rooms[0])
    expire(booking)
    expire(booking)
    booking = as_it_is(booking)
    assert (booking.status, booking.cancelled_because, booking.cancelled_late) == ("cancelled", "unpaid", False)
    assert (live(booking), states(booking), sale_of(booking).state) == ([], ["released"], "expired")
    assert book_room(first.member, place.rooms[0]).status == "held"
    with pytest.raises(UndoTooLate):
        services.undo_cancel(first.stranger.actor(), booking.public_id)
    assert faults() == []


def test_money_that_comes_late_books_it_again_at_the_same_price_if_it_is_free(first, place):
    booking = book_room(first.stranger, place.rooms[0])
    expire(booking)
    assert pay(booking)
    booking = as_it_is(booking)
    assert (booking.status, booking.cancelled_because, live(booking), states(booking)) == (
        "confirmed",
        None,
        [False],
        ["live"],
    )
    assert sale_of(booking).state == "paid"
    assert faults() == []


def test_money_that_comes_when_another_has_the_place_books_nothing(first, place):
    booking = book_room(first.stranger, place.rooms[0])
    expire(booking)
    other = book_room(first.member, place.rooms[0])
    assert not pay(booking)
    assert (as_it_is(booking).status, sale_of(booking).state) == ("cancelled", "expired")
    assert pay(other)
    assert faults() == []


def test_what_nobody_let_go_is_taken_by_the_next_and_its_late_money_books_nothing(first, place, clock):
    booking = book_room(first.stranger, place.rooms[0])
    clock.advance(minutes=24)
    with pytest.raises(ClaimConflict):
        book_room(first.member, place.rooms[0])
    clock.advance(minutes=2)
    assert book_room(first.member, place.rooms[0]).status == "held"
    assert not pay(booking)
    assert (as_it_is(booking).cancelled_because, states(booking)) == ("unpaid", ["released"])


def test_cancelling_what_is_held_frees_it_at_once_and_ends_its_page(first, place):
    booking = book_room(first.stranger, place.rooms[0])
    services.cancel(first.stranger.actor(), booking.public_id)
    booking = as_it_is(booking)
    assert (booking.cancelled_because, booking.cancelled_late, live(booking)) == ("asked", False, [])
    assert book_room(first.member, place.rooms[0]).status == "held"
    ended = db.session.scalars(select(OutboxRow.key).where(OutboxRow.topic == sales.DUE, OutboxRow.key.endswith("now")))
    assert ended.all() == [f"sale.due:{sale_of(booking).public_id}:now"]
    assert not pay(booking)  # its money is given back


def test_a_closure_cancels_what_is_held(first, place, run_outbox):
    booking = book_room(first.stranger, place.rooms[0])
    spaces.add_closure(first.manager.actor(), Closing(booking.day, booking.day, None, None, "Travaux"))
    run_outbox()
    assert as_it_is(booking).cancelled_because == "closed"
    assert not pay(booking)


def test_a_paid_booking_moves_only_where_it_costs_the_same(first, place):
    booking = book_room(first.stranger, place.rooms[0])
    pay(booking)
    services.move(first.stranger.actor(), booking.public_id, span=hours(14, 16))
    with pytest.raises(PaidAhead):
        services.move(first.stranger.actor(), booking.public_id, span=hours(14, 17))
    assert [quote.amount_cents for quote in queries.quotes_of(booking.id) if quote.state == "live"] == [3000]


@pytest.mark.parametrize("crowd", [16])
def test_of_two_who_want_the_last_room_one_holds_it(app, place, cast, crowd, monkeypatch):
    with app.app_context():
        make_tariff()
        ask_first()

    def book(person) -> str:
        with app.app_context():
            try:
                return book_room(person, place.rooms[0]).status
            except (ClaimConflict, NothingFree, AlreadyInRoom):
                return "refused"

    people = [cast.member, cast.stranger, cast.colleague, cast.host] * (crowd // 4)
    assert sorted(at_once([partial(book, one) for one in people])).count("held") == 1


def test_payment_and_expiry_race_and_one_of_them_wins(app, place, cast):
    with app.app_context():
        make_tariff()
        ask_first()
        booking = book_room(cast.stranger, place.rooms[0])

    def act(of) -> None:
        with app.app_context():
            of(booking)

    at_once([partial(act, of) for of in (pay, expire) * 8])
    with app.app_context():
        # Whoever was first, the money came in the end: it is booked, once.
        assert (as_it_is(booking).status, sale_of(booking).state, live(booking)) == ("confirmed", "paid", [False])
        quotes = db.session.scalars(select(Quote).where(Quote.state == "live")).all()
        assert len(quotes) == 1
        assert faults() == []
