"""What must be paid first: one page, settled once, let go in time, invoiced as paid, and never on a month's invoice."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.billing import charges, drafts, online, online_queries, rules, sale_opening, services
from coworking.billing.gateways.port import GatewayUnavailable, NotExpirable
from coworking.billing.models import Charge, Invoice, Payment
from coworking.billing.online_models import OnlinePayment
from coworking.billing.online_rules import SaleOver
from coworking.booking import services as booking
from coworking.booking.models import Booking
from coworking.core import outbox
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from coworking.spaces.calendar import lock_lieu
from tests import factories
from tests.booking.held import as_it_is, ask_first, book_room, faults, hours, sale_of
from tests.support import emails as golden
from tests.support.threads import at_once

URL = "http://lieu.test/bookings/x/pay"


@pytest.fixture
def first(billing_lieu, inside, gateway, monkeypatch):
    """A lieu where rooms must be paid first, and a gateway in memory."""
    factories.make_tariff()
    ask_first()
    with write_unit():
        lock_lieu().is_simulation = True
    end_read()
    return billing_lieu


def opened(made, of: Booking) -> OnlinePayment:
    return sale_opening.open_sale(
        sale_of(of).public_id, "stripe", pay_url=URL, locale="fr", actor=made.cast.stranger.actor()
    )


def held(made, room: int = 0) -> Booking:
    return book_room(made.cast.stranger, made.place.rooms[room])


def count(model) -> int:
    end_read()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_the_payment_books_and_invoices_once_and_the_month_skips_it(first, gateway, clock, mailbox, run_outbox):
    room = held(first)
    payment = opened(first, room)
    (wanted,) = gateway.wanted
    assert (wanted.cents, wanted.cards_only, wanted.return_url.startswith(URL)) == (3000, True, True)
    assert wanted.ends_at == clock.now + sale_opening.PAGE_LASTS
    gateway.become(payment.checkout_id, "paid")
    for _time in range(3):
        online.settle("stripe", payment.checkout_id)
    assert as_it_is(room).status == "confirmed"
    (invoice,) = db.session.scalars(select(Invoice)).all()
    (paid,) = db.session.scalars(select(Payment)).all()
    assert (invoice.payable_cents, paid.cents, paid.invoice_id, paid.method) == (3000, 3000, invoice.id, "card")
    assert online_queries.surpluses() == [] and faults() == []
    clock.set(clock.now + timedelta(days=40))
    assert charges.gather(date(2026, 11, 1)) == 0
    services.run(first.manager, date(2026, 11, 1))
    sold = [charge.invoice_id for charge in db.session.scalars(select(Charge)) if charge.amount_cents == 3000]
    assert sold.count(invoice.id) == 1
    assert faults() == []


def test_sixteen_who_tell_at_once_book_and_invoice_once(first, gateway, app):
    room = held(first)
    payment = opened(first, room)
    checkout = payment.checkout_id
    gateway.become(checkout, "paid")
    end_read()

    def tell(what) -> None:
        with app.app_context():
            what()

    sale = sale_of(room).public_id
    end_read()
    acts = [partial(online.settle, "stripe", checkout), partial(sale_opening.end_sale, sale)] * 8
    at_once([partial(tell, act) for act in acts])
    assert as_it_is(room).status == "confirmed"
    assert (count(Invoice), count(Payment), faults()) == (1, 1, [])


def test_a_second_tap_and_a_second_tab_get_the_same_page(first, gateway, app):
    room = held(first)
    ids = {opened(first, room).checkout_url for _ in range(2)}
    assert len(ids) == 1 and count(OnlinePayment) == 1


def test_two_tabs_at_once_get_one_page(first, gateway, app):
    room = held(first)
    sale = sale_of(room).public_id
    end_read()

    def tap() -> str | None:
        with app.app_context():
            actor = first.cast.stranger.actor()
            return sale_opening.open_sale(sale, "stripe", pay_url=URL, locale="fr", actor=actor).checkout_url

    assert len(set(at_once([tap] * 8))) == 1
    assert count(OnlinePayment) == 1


def test_when_the_time_is_over_a_job_ends_the_page_and_frees_the_place(first, gateway, clock, run_outbox):
    room = held(first)
    payment = opened(first, room)
    checkout = payment.checkout_id
    clock.advance(minutes=14)
    run_outbox()
    assert as_it_is(room).status == "held"
    clock.advance(minutes=2)
    run_outbox()
    assert gateway.expired == [checkout]
    assert (as_it_is(room).cancelled_because, sale_of(room).state) == ("unpaid", "expired")
    with pytest.raises(SaleOver):
        opened(first, room)
    assert faults() == []


def test_no_page_opens_when_the_time_is_over(first, gateway, clock):
    room = held(first)
    clock.advance(minutes=15)
    with pytest.raises(SaleOver):
        opened(first, room)
    assert gateway.wanted == []


def test_what_was_paid_in_the_last_second_is_booked_by_the_job_that_ends_it(first, gateway, clock, run_outbox):
    room = held(first)
    gateway.become(opened(first, room).checkout_id, "paid")
    clock.advance(minutes=16)
    run_outbox()
    assert (as_it_is(room).status, count(Invoice), faults()) == ("confirmed", 1, [])


def test_while_the_gateway_is_silent_the_place_stays_for_ten_minutes_and_no_longer(first, gateway, clock, run_outbox):
    room = held(first)
    opened(first, room)
    sale = sale_of(room).public_id
    gateway.away = True
    clock.advance(minutes=16)
    with pytest.raises(GatewayUnavailable):
        sale_opening.end_sale(sale)
    assert as_it_is(room).status == "held"
    clock.advance(minutes=10)
    sale_opening.end_sale(sale)
    assert as_it_is(room).cancelled_because == "unpaid"


def test_a_page_that_opens_while_its_sale_ends_is_ended_at_once(first, gateway, clock, monkeypatch):
    room = held(first)
    sale = sale_of(room).public_id
    ask = gateway.open_checkout

    def slowly(wanted):
        found = ask(wanted)
        booking.cancel(first.cast.stranger.actor(), room.public_id)
        gateway.open_checkout = ask
        try:
            sale_opening.end_sale(sale)
        except GatewayUnavailable:
            raise AssertionError from None
        return found

    monkeypatch.setattr(gateway, "open_checkout", slowly)
    with pytest.raises(SaleOver):
        opened(first, room)
    assert all(fact.state == "expired" for fact in gateway.facts.values())


def late(first, gateway, clock, monkeypatch, *, taken: bool) -> Booking:
    """Money that arrives after the place was freed, through a provider that cannot end its page."""

    def cannot(checkout_id: str) -> None:
        raise NotExpirable("no such call")

    monkeypatch.setattr(gateway, "expire_checkout", cannot)
    room = held(first)
    checkout = opened(first, room).checkout_id
    clock.advance(minutes=16)
    sale_opening.end_sale(sale_of(room).public_id)
    assert as_it_is(room).cancelled_because == "unpaid"
    if taken:
        book_room(first.cast.member, first.place.rooms[0])
    gateway.become(checkout, "paid")
    online.settle("stripe", checkout)
    return as_it_is(room)


def test_late_money_books_again_what_is_still_free(first, gateway, clock, monkeypatch):
    room = late(first, gateway, clock, monkeypatch, taken=False)
    assert (room.status, sale_of(room).state, count(Invoice)) == ("confirmed", "paid", 1)
    assert online_queries.surpluses() == [] and faults() == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_late_money_for_a_place_that_is_gone_is_to_be_given_back_and_told(
    first, gateway, clock, monkeypatch, mailbox, run_outbox, language
):
    room = late(first, gateway, clock, monkeypatch, taken=True)
    assert (room.status, count(Invoice)) == ("cancelled", 0)
    (surplus,) = online_queries.surpluses()
    assert (surplus.cents, surplus.invoice, surplus.payer_name) == (3000, None, first.cast.stranger.name)
    with write_unit():
        db.session.get_one(Person, first.cast.stranger.id).locale = language
    run_outbox()
    (told,) = [mail for mail in mailbox() if {"tard", "late"} & set(mail["Subject"].split())]
    golden.check(told, "billing/too_late")
    assert faults() == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_invoice_that_comes_by_email_says_that_it_is_paid(first, gateway, mailbox, run_outbox, language):
    with write_unit():
        db.session.get_one(Person, first.cast.stranger.id).locale = language
    gateway.become((checkout := opened(first, held(first)).checkout_id), "paid")
    online.settle("stripe", checkout)
    run_outbox()
    golden.check(mailbox()[-1], "billing/issued-paid-first")


def test_a_paid_booking_that_moves_is_on_no_months_invoice(first, gateway, clock):
    room = held(first)
    gateway.become((checkout := opened(first, room).checkout_id), "paid")
    online.settle("stripe", checkout)
    booking.move(first.cast.stranger.actor(), room.public_id, span=hours(14, 16))
    clock.set(clock.now + timedelta(days=40))
    assert charges.gather(date(2026, 11, 1)) == 0
    assert faults() == []


def test_paid_twice_on_two_pages_the_second_is_to_be_given_back(first, gateway, clock):
    room = held(first)
    payment = opened(first, room)
    with write_unit():  # another page of the same sale, which could not be ended
        row = db.session.get_one(OnlinePayment, payment.id)
        other = OnlinePayment(
            gateway="stripe", is_live=False, payer_person_id=row.payer_person_id, sale_id=row.sale_id, cents=3000,
            currency="EUR", locale="fr", state="open", checkout_id="cs_other",
        )  # fmt: skip
        other.steps = []
        db.session.add(other)
        key = other.public_id
        db.session.flush()
        key = other.public_id
    gateway.facts["cs_other"] = gateway.facts[payment.checkout_id].__class__(
        "cs_other", key, "open", 3000, "EUR", False
    )
    for checkout in (payment.checkout_id, "cs_other"):
        gateway.become(checkout, "paid")
        online.settle("stripe", checkout)
    assert count(Invoice) == 1
    assert [one.cents for one in online_queries.surpluses()] == [3000]
    late = db.session.scalars(select(outbox.OutboxRow.payload).where(outbox.OutboxRow.topic == online.TOO_LATE)).all()
    assert [one["payment"] for one in late] == [key], "it is given back by itself"


def test_an_invoice_that_cannot_be_issued_follows_and_the_place_counts_at_once(first, gateway, run_outbox, monkeypatch):
    room = held(first)
    payment = opened(first, room)
    problems = [rules.SellerIncomplete(missing="SIRET")]
    monkeypatch.setattr(drafts, "_problem", lambda *_given: problems[0] if problems else None)
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    assert (as_it_is(room).status, count(Invoice)) == ("confirmed", 0)
    assert online_queries.surpluses() == []  # it is owed to nobody: its invoice follows
    problems.clear()
    run_outbox()
    assert (count(Invoice), count(Payment), faults()) == (1, 1, [])


def test_without_a_gateway_nothing_is_held(first, monkeypatch, gateway):
    with write_unit():
        lock_lieu().is_simulation = False  # a real lieu offers no test keys
    assert held(first).status == "confirmed"


def test_what_is_too_small_for_a_card_is_not_held(first, gateway):
    factories.make_tariff(room=10, valid_from=date(2026, 11, 2))
    assert held(first).status == "confirmed"


def test_a_paid_booking_that_is_cancelled_in_time_tells_a_manager_what_to_give_back(first, gateway, clock, run_outbox):
    room = held(first)
    gateway.become((checkout := opened(first, room).checkout_id), "paid")
    online.settle("stripe", checkout)
    me = first.cast.stranger.actor()
    booking.cancel(me, room.public_id)
    booking.undo_cancel(me, room.public_id)
    clock.advance(minutes=3)
    run_outbox()
    assert outbox.failed() == []  # undone: nothing is due back
    booking.cancel(me, room.public_id)
    clock.advance(minutes=3)
    run_outbox()
    (row,) = outbox.failed()
    assert "30" in row.last_error and "F2026-" in row.last_error
