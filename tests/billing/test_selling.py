"""Selling at the door: to nobody, to a person, on their invoice; once, undone once, and every cent in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.accounting import drawer_queries, journal
from coworking.accounting.models import CashMovement
from coworking.billing import charges, crediting_given_up, door_queries, door_rules, queries, rules, selling, services
from coworking.billing.door_models import Deposit, DepositReturn, DoorReceipt, DoorSale
from coworking.billing.models import Charge, Invoice, Payment
from coworking.booking import services as booking
from coworking.core import checks, links
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.keyring import public_keys
from coworking.presence import services as presence
from coworking.pricing import article_services
from coworking.pricing import services as pricing
from tests.support.billing import NOVEMBER, TODAY
from tests.support.shop import Shop


@pytest.fixture
def shop(billing_lieu, inside):
    return Shop(billing_lieu)


def broken() -> list[str]:
    """What `flask audit` says of money."""
    return [sentence for one, found in checks.run() if one.promise == 3 for sentence in found]


def at_once(app, count: int, act: Callable[[], object], *refusals: type[Exception]) -> list[object]:
    """What ``count`` threads get from ``act`` together; refusals among them."""
    start, found = threading.Barrier(count), []

    def run() -> None:
        with app.app_context():
            start.wait()
            try:
                found.append(act())
            except refusals as error:
                found.append(error)
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == count, "one failed"
    return found


def test_a_sale_to_nobody_is_a_numbered_receipt_and_no_invoice(shop, session):
    sale = shop.sell({"h": 1, shop.coffee: 2, shop.key: 1}, 3200)
    receipt = session.get_one(DoorReceipt, sale.receipt_id)
    assert (receipt.number, receipt.seq, receipt.kind) == ("R2026-0001", 1, "sale")
    assert (receipt.payable_cents, receipt.deposit_cents, receipt.vat_cents) == (3200, 2000, 150 + 27)
    content = door_queries.receipt_content(receipt)
    assert [(line["label"], line["quantity"], line["amount_cents"]) for line in content["lines"]] == [
        ("Poste de travail, demi-journée", 1, 900),
        ("Café", 2, 300),
    ]
    assert "buyer" not in content
    assert session.scalar(select(func.count(Invoice.id))) == session.scalar(select(func.count(Charge.id))) == 0
    lines = journal.of_receipt(content)
    assert journal.balance(lines) == 0
    assert {(line.account, line.debit - line.credit) for line in lines} == {
        ("530", 3200),
        ("706", -750),
        ("707", -273),
        ("44571", -177),
        ("165", -2000),
    }
    assert drawer_queries.expected_cents() == 3200
    assert broken() == []


def test_a_sale_to_a_person_is_an_invoice_that_is_paid(shop, session):
    sale = shop.sell({shop.coffee: 2}, 300, person=shop.lieu.cast.stranger, method="card")
    invoice = session.get_one(Invoice, sale.invoice_id)
    standing = queries.standing_for(shop.lieu.manager, invoice.public_id)
    assert (invoice.number, invoice.payable_cents, standing.state, sale.receipt_id) == ("F2026-0001", 300, "paid", None)
    content = queries.content(invoice)
    assert content["paid"] == {"cents": 300, "on": "2026-11-24", "method": "card"}
    assert (content["nature"], content["lines"][0]["account"]) == ("goods", "707")
    assert any("livraison de biens" in note for note in content["notes"])
    paid = session.scalars(select(Payment)).one()
    assert (paid.cents, paid.method, paid.received_on) == (300, "card", TODAY)
    assert {line.account for line in journal.of_document(content)} == {"411", "707", "44571"}
    assert drawer_queries.expected_cents() == 0, "a card puts nothing into the drawer"
    done = services.run(shop.lieu.manager, NOVEMBER)
    assert all(row.payer_person_id != shop.lieu.cast.stranger.id or row.payable_cents == 6600 for row in done.issued)
    assert broken() == []


def test_a_deposit_of_a_person_is_a_receipt_beside_the_invoice(shop, session):
    sale = shop.sell({shop.coffee: 1, shop.key: 2}, 4150, person=shop.lieu.cast.stranger)
    assert session.get_one(Invoice, sale.invoice_id).payable_cents == 150
    receipt = session.get_one(DoorReceipt, sale.receipt_id)
    assert (receipt.payable_cents, receipt.vat_cents, door_queries.receipt_content(receipt)["lines"]) == (4000, 0, [])
    assert [row.person_id for row in door_queries.deposits_held()] == [shop.lieu.cast.stranger.id] * 2
    assert drawer_queries.expected_cents() == 4150
    assert broken() == []


def test_what_goes_on_the_next_invoice_is_charged_and_not_paid(shop, session):
    lise = shop.lieu.cast.stranger
    sale = shop.sell({shop.coffee: 2}, 300, person=lise, method="invoice")
    assert (sale.invoice_id, sale.receipt_id) == (None, None)
    (charge,) = session.scalars(select(Charge).where(Charge.source == "sale")).all()
    assert (charge.amount_cents, charge.account, charge.invoice_id) == (300, "707", None)
    issued = services.run(shop.lieu.manager, NOVEMBER).issued
    assert next(row.payable_cents for row in issued if row.payer_person_id == lise.id) == 6900
    with pytest.raises(door_rules.PayerMissing):
        shop.sell({shop.coffee: 1}, 150, method="invoice")
    with pytest.raises(door_rules.DepositPaidLater):
        shop.sell({shop.key: 1}, 2000, person=lise, method="invoice")


def test_the_same_form_sells_once_and_a_changed_one_is_refused(shop, session):
    first = shop.sell({shop.coffee: 1}, 150, nonce=77)
    again = shop.sell({shop.coffee: 1}, 150, nonce=77)
    assert first.public_id == again.public_id
    with pytest.raises(door_rules.SoldAlready):
        shop.sell({shop.coffee: 2}, 300, nonce=77)
    assert session.scalar(select(func.count(DoorSale.id))) == 1


@pytest.mark.parametrize("named", [False, True])
def test_sixteen_taps_on_one_button_sell_once(shop, app, session, named):
    person = shop.lieu.cast.stranger if named else None
    made = at_once(app, 16, lambda: shop.sell({shop.coffee: 1}, 150, person=person, nonce=5).public_id)
    assert len(set(made)) == 1
    session.rollback()
    assert session.scalar(select(func.count(DoorSale.id))) == 1
    assert drawer_queries.expected_cents() == 150
    assert broken() == []


def test_sixteen_sales_at_once_are_numbered_without_a_gap(shop, app, session):
    """To nobody and to people, with deposits: every order of locks there is."""
    people = [None, shop.lieu.cast.stranger, shop.lieu.cast.lead, None]
    numbers = iter(range(100, 200))

    def act() -> str:
        nonce = next(numbers)
        person = people[nonce % 4]
        return shop.sell({shop.coffee: 1, shop.key: 1}, 2150, person=person, nonce=nonce).public_id

    assert len(set(at_once(app, 16, act))) == 16
    session.rollback()
    rows = session.execute(select(DoorReceipt.seq, DoorReceipt.number).order_by(DoorReceipt.seq)).all()
    assert [tuple(row) for row in rows] == [(n, f"R2026-{n:04d}") for n in range(1, 17)]
    seqs = session.scalars(select(CashMovement.seq).order_by(CashMovement.seq)).all()
    assert seqs == list(range(1, len(seqs) + 1))
    assert drawer_queries.expected_cents() == 16 * 2150
    assert broken() == []


def test_a_changed_price_is_looked_at_again(shop, session):
    with pytest.raises(door_rules.SalePriceChanged):
        shop.sell({shop.coffee: 1}, 100)
    article_services.archive_article(shop.lieu.manager, shop.coffee[2:])
    with pytest.raises(door_rules.NotOffered):
        shop.sell({shop.coffee: 1}, 150)
    assert session.scalar(select(func.count(DoorReceipt.id))) == 0


@pytest.mark.parametrize("wanted", [{}, {"h": 0}, {"h": 51}, {"h": -1}])
def test_nothing_and_far_too_much_are_refused(shop, wanted):
    with pytest.raises(door_rules.NothingToSell):
        shop.sell(wanted, 0)


@pytest.mark.parametrize("who", ["member", "accountant", "lead"])
def test_only_who_welcomes_people_sells(shop, who):
    shop.host = getattr(shop.lieu.cast, who).actor()
    with pytest.raises(Forbidden):
        shop.sell({shop.coffee: 1}, 150)
    with pytest.raises(Forbidden):
        selling.cancel(shop.host, "x", "Erreur")
    with pytest.raises(Forbidden):
        selling.give_back(shop.host, "x", "cash")


# A walk-in ------------------------------------------------------------------------------------------------------------


def arrives(shop, person) -> str:
    arrival = presence.arrive(shop.host, person=person.public_id)
    assert arrival.walked_in and arrival.booking is not None
    quote = arrival.booking.units[0].quote
    assert quote is not None
    return f"q:{quote.public_id}"


def test_a_walk_in_that_is_sold_is_not_charged_again(shop, session, clock):
    lise = shop.lieu.cast.stranger
    key = arrives(shop, lise)
    assert [line.key for line in door_queries.owed_today(lise)] == [key]
    sale = shop.sell({key: 1}, 900, person=lise)
    assert session.get_one(Invoice, sale.invoice_id).payable_cents == 900
    assert door_queries.owed_today(lise) == []
    with pytest.raises(door_rules.NotOffered):
        shop.sell({key: 1}, 900, person=lise)
    clock.advance(days=10)
    charges.gather_recent()
    of_today = select(func.count(Charge.id)).where(Charge.payer_person_id == lise.id, Charge.day == TODAY)
    assert session.scalar(of_today) == 1
    assert broken() == []


def test_a_half_day_sold_at_the_day_rate_keeps_its_price(shop, session, clock):
    """The other half is given up within ten minutes; what was paid at the door is not asked for once more."""
    lise, prices = shop.lieu.cast.stranger, {"desk": 900, "room": 1500}
    terms = {"basis": "ttc", "vat_rate_bp": 2000, "by_resource": {}, "day_by_kind": {"desk": 1500}}
    pricing.set_tariff(shop.lieu.manager, valid_from=TODAY, by_kind=prices, **terms)
    afternoon = booking.book_half_days(lise.actor(), TODAY, frozenset({"pm"})).public_id
    key = arrives(shop, lise)
    shop.sell({key: 1}, 600, person=lise)
    booking.cancel(lise.actor(), afternoon)
    clock.advance(days=10)
    charges.gather_recent()
    of_today = select(func.sum(Charge.amount_cents)).where(Charge.payer_person_id == lise.id, Charge.day == TODAY)
    assert session.scalar(of_today) == 600


def test_a_walk_in_sold_on_their_invoice_is_charged_when_the_day_is_over(shop, session, clock):
    lise = shop.lieu.cast.stranger
    key = arrives(shop, lise)
    shop.sell({key: 1, shop.coffee: 1}, 1050, person=lise, method="invoice")
    clock.advance(days=1)
    charges.gather_recent()
    amounts = session.scalars(
        select(Charge.amount_cents).where(Charge.payer_person_id == lise.id, Charge.day == TODAY)
    ).all()
    assert sorted(amounts) == [150, 900]


def test_an_arrival_and_its_sale_are_one_unit(shop, session):
    lise = shop.lieu.cast.stranger

    def arrive() -> list[str]:
        arrival = presence.arrive_in_unit(shop.host, lise.public_id)
        assert arrival.booking is not None
        return [f"q:{unit.quote.public_id}" for unit in arrival.booking.units if unit.quote is not None]

    with pytest.raises(door_rules.SalePriceChanged):
        shop.sell({}, 800, person=lise, first=arrive)
    assert presence.leave(shop.host, person=lise.public_id) is None, "they have not arrived either"
    sale = shop.sell({}, 900, person=lise, first=arrive)
    assert sale.cents == 900 and presence.leave(shop.host, person=lise.public_id) is not None


def test_a_strangers_half_day_is_not_offered(shop):
    key = arrives(shop, shop.lieu.cast.stranger)
    with pytest.raises(door_rules.NotOffered):
        shop.sell({key: 1}, 900, person=shop.lieu.cast.lead)
    with pytest.raises(door_rules.NotOffered):
        shop.sell({key: 1}, 900)
    with pytest.raises(door_rules.NotOffered):
        shop.sell({key: 2}, 1800, person=shop.lieu.cast.stranger)


# Undoing --------------------------------------------------------------------------------------------------------------


def test_a_receipt_is_undone_by_a_counter_receipt(shop, session):
    sale = shop.sell({shop.coffee: 1, shop.key: 1}, 2150)
    undoing = selling.cancel(shop.host, sale.public_id, "Mauvais article")
    counter = session.get_one(DoorReceipt, undoing.receipt_id)
    assert (counter.number, counter.payable_cents, counter.corrects_id) == ("R2026-0002", -2150, sale.receipt_id)
    assert (undoing.reason, undoing.cents) == ("Mauvais article", -2150)
    assert drawer_queries.expected_cents() == 0 and door_queries.deposits_held() == []
    assert journal.balance(journal.of_receipt(door_queries.receipt_content(counter))) == 0
    with pytest.raises(door_rules.SaleCancelled):
        selling.cancel(shop.host, sale.public_id, "Encore")
    with pytest.raises(door_rules.SaleCancelled):
        selling.cancel(shop.host, undoing.public_id, "L’annulation")
    assert broken() == []


def test_an_invoice_is_undone_by_a_credit_note_and_its_half_day_is_owed_again(shop, session):
    lise = shop.lieu.cast.stranger
    key = arrives(shop, lise)
    sale = shop.sell({key: 1, shop.coffee: 1}, 1050, person=lise)
    undoing = selling.cancel(shop.host, sale.public_id, "Payé par carte")
    note = session.get_one(Invoice, undoing.invoice_id)
    assert (note.kind, note.payable_cents) == ("credit_note", -1050)
    assert session.scalar(select(func.sum(Payment.cents))) == 0 and drawer_queries.expected_cents() == 0
    (owed,) = door_queries.owed_today(lise)
    assert (owed.key[:2], owed.item.amount_cents) == ("c:", 900)
    again = shop.sell({owed.key: 1, shop.coffee: 1}, 1050, person=lise, method="card")
    assert session.get_one(Invoice, again.invoice_id).payable_cents == 1050
    assert door_queries.owed_today(lise) == []
    assert broken() == []


def test_what_was_put_on_the_next_invoice_is_taken_off(shop, session):
    sale = shop.sell({shop.coffee: 2}, 300, person=shop.lieu.cast.lead, method="invoice")
    selling.cancel(shop.host, sale.public_id, "Mauvaise personne")
    assert queries.coming_for(shop.lieu.cast.lead.id) == []
    other = shop.sell({shop.coffee: 1}, 150, person=shop.lieu.cast.lead, method="invoice")
    services.run(shop.lieu.manager, NOVEMBER)
    with pytest.raises(rules.AlreadyInvoiced):
        selling.cancel(shop.host, other.public_id, "Trop tard")
    assert broken() == []


def test_a_sale_is_undone_on_its_own_day_with_a_reason(shop, clock):
    sale = shop.sell({shop.coffee: 1}, 150)
    with pytest.raises(rules.ReasonMissing):
        selling.cancel(shop.host, sale.public_id, " ")
    with pytest.raises(NotFound):
        selling.cancel(shop.host, "nonesuch", "Erreur")
    clock.advance(days=1)
    with pytest.raises(door_rules.SaleOfAnotherDay):
        selling.cancel(shop.host, sale.public_id, "Erreur")


@pytest.mark.parametrize("named", [False, True])
def test_sixteen_cancel_once(shop, app, session, named):
    sale = shop.sell({shop.coffee: 1}, 150, person=shop.lieu.cast.lead if named else None)
    public = sale.public_id
    made = at_once(app, 16, lambda: selling.cancel(shop.host, public, "Erreur").public_id, door_rules.SaleCancelled)
    assert sum(isinstance(one, str) for one in made) == 1
    session.rollback()
    assert drawer_queries.expected_cents() == 0
    assert broken() == []


# Deposits -------------------------------------------------------------------------------------------------------------


def test_a_deposit_is_given_back_once(shop, session, clock):
    shop.sell({shop.key: 1}, 2000, person=shop.lieu.cast.lead)
    (held,) = door_queries.deposits_held()
    clock.advance(days=40)
    done = selling.give_back(shop.host, held.public_id, "cash")
    assert (done.returned_on, done.method, done.created_by_id) == (date(2027, 1, 3), "cash", shop.host.person_id)
    assert drawer_queries.expected_cents() == 0 and door_queries.deposits_held() == []
    lines = journal.of_deposit_return(2000, "cash", held.account, "R2026-0001")
    assert [(line.account, line.debit, line.credit) for line in lines] == [("165", 2000, 0), ("530", 0, 2000)]
    with pytest.raises(door_rules.DepositReturned):
        selling.give_back(shop.host, held.public_id, "cash")
    with pytest.raises(door_rules.MeansUnknown):
        selling.give_back(shop.host, held.public_id, "shells")
    with pytest.raises(NotFound):
        selling.give_back(shop.host, "nonesuch", "cash")
    assert broken() == []


def test_sixteen_give_a_deposit_back_once(shop, app, session):
    shop.sell({shop.key: 1}, 2000)
    public = session.scalars(select(Deposit.public_id)).one()
    made = at_once(app, 16, lambda: selling.give_back(shop.host, public, "cash").id, door_rules.DepositReturned)
    assert sum(isinstance(one, int) for one in made) == 1
    session.rollback()
    assert session.scalar(select(func.count(DepositReturn.id))) == 1
    assert drawer_queries.expected_cents() == 0


def test_a_sale_whose_deposit_was_given_back_is_not_undone(shop, session):
    sale = shop.sell({shop.key: 1}, 2000)
    selling.give_back(shop.host, session.scalars(select(Deposit.public_id)).one(), "cash")
    with pytest.raises(door_rules.DepositReturned):
        selling.cancel(shop.host, sale.public_id, "Erreur")
    assert drawer_queries.expected_cents() == 0


def test_receipts_are_one_chain(shop, session):
    for _time in range(3):
        shop.sell({shop.coffee: 1}, 150)
    rows = session.scalars(select(DoorReceipt).order_by(DoorReceipt.seq)).all()
    entries = [(selling.link_of(row), row.payload) for row in rows]
    assert links.problems(entries, public_keys().get) == []
    assert links.problems([entries[0], entries[2]], public_keys().get)


# Given up after it was paid -------------------------------------------------------------------------------------------


def paid_booking(shop, lise, method="cash"):
    """This afternoon's desk, booked a moment ago and paid at the door."""
    made = booking.book_half_days(lise.actor(), TODAY, frozenset({"pm"}))
    (line,) = door_queries.owed_today(lise)
    return made.public_id, shop.sell({line.key: 1}, 900, person=lise, method=method)


def gather() -> None:
    """What the night does."""
    charges.gather_recent()
    crediting_given_up.credit_given_up()


def owed_in_all(session, person) -> int:
    """What the person's charges that are not invoiced come to, and what their invoices and credit notes do."""
    not_invoiced = select(func.sum(Charge.amount_cents)).where(
        Charge.payer_person_id == person.id, Charge.invoice_id.is_(None), Charge.day == TODAY
    )
    invoiced = select(func.sum(Invoice.payable_cents)).where(Invoice.payer_person_id == person.id)
    return (session.scalar(not_invoiced) or 0) + (session.scalar(invoiced) or 0)


@pytest.mark.parametrize("method", ["cash", "card", "invoice"])
def test_a_sold_half_day_that_is_cancelled_in_time_is_owed_no_longer(shop, session, clock, method):
    lise = shop.lieu.cast.stranger
    public_id, sale = paid_booking(shop, lise, method)
    booking.cancel(lise.actor(), public_id)
    assert door_queries.owed_today(lise) == []
    clock.advance(days=1)
    for _twice in range(2):
        gather()
    assert owed_in_all(session, lise) == 0
    if method == "invoice":
        return
    invoice = session.get_one(Invoice, sale.invoice_id)
    (note,) = queries.credit_notes_of(invoice)
    assert (note.payable_cents, queries.content(note)["reason"]) == (-900, "Réservation annulée ou modifiée")
    assert [(one.invoice.number, one.open_cents) for one in queries.to_refund()] == [(invoice.number, -900)]
    assert broken() == []


def test_one_that_is_cancelled_too_late_stays_paid(shop, session, clock):
    lise = shop.lieu.cast.stranger
    public_id, _sale = paid_booking(shop, lise)
    clock.advance(minutes=11)
    booking.cancel(lise.actor(), public_id)
    clock.advance(days=1)
    gather()
    assert owed_in_all(session, lise) == 900 and queries.to_refund() == []


def test_the_host_gives_the_money_back_by_cancelling_the_sale_too(shop, session, clock):
    """In either order: nothing is owed, and nothing is credited twice."""
    lise = shop.lieu.cast.stranger
    for sale_first in (True, False):
        public_id, sale = paid_booking(shop, lise)
        acts = [
            lambda sold=sale: selling.cancel(shop.host, sold.public_id, "Ne vient pas"),
            lambda booked=public_id: booking.cancel(shop.host, booked, mistake=True),
        ]
        for act in acts if sale_first else reversed(acts):
            act()
        assert door_queries.owed_today(lise) == [] and drawer_queries.expected_cents() == 0
    clock.advance(days=1)
    gather()
    assert owed_in_all(session, lise) == 0 and queries.to_refund() == []
    assert all(
        row.payer_person_id != lise.id or row.payable_cents == 6600
        for row in services.run(shop.lieu.manager, NOVEMBER).issued
    )
    assert broken() == []


def test_an_arrival_that_is_undone_after_its_sale_is_credited_overnight(shop, session, clock):
    lise = shop.lieu.cast.stranger
    arrival = presence.arrive(shop.host, person=lise.public_id)
    (line,) = door_queries.owed_today(lise)
    shop.sell({line.key: 1, shop.coffee: 1}, 1050, person=lise)
    presence.undo_arrival(shop.host, arrival.presence.public_id)
    clock.advance(days=1)
    gather()
    assert owed_in_all(session, lise) == 150, "the coffee was drunk"


@pytest.mark.parametrize("minutes", [0, 11], ids=["in time", "too late"])
def test_a_sold_booking_that_is_cancelled_and_taken_back_stays_paid(shop, session, clock, minutes):
    """What was paid stands for it: it is neither owed again nor credited, however often it is taken back."""
    lise = shop.lieu.cast.stranger
    public_id, sale = paid_booking(shop, lise)
    clock.advance(minutes=minutes)
    for _twice in range(2):
        made = booking.cancel(lise.actor(), public_id)
        assert made.cancelled_late == bool(minutes)
        booking.undo_cancel(lise.actor(), public_id)
    found = door_queries.sale_of_booking(made.id)
    assert found is not None and found.id == sale.id, "its sheet says so"
    assert door_queries.owed_today(lise) == []
    clock.advance(days=1)
    for _twice in range(2):
        gather()
    assert queries.credit_notes_of(session.get_one(Invoice, sale.invoice_id)) == []
    assert owed_in_all(session, lise) == 900 and queries.to_refund() == []
    assert broken() == []


def test_a_sold_half_day_that_moves_to_another_desk_stays_paid(shop, session, clock):
    lise = shop.lieu.cast.stranger
    public_id, sale = paid_booking(shop, lise)
    for desk in shop.lieu.place.desks[1:3]:
        moved = booking.move(lise.actor(), public_id, resource=desk.public_id)
    assert {unit.resource_id for unit in moved.units} == {desk.id}
    found = door_queries.sale_of_booking(moved.id)
    assert found is not None and found.id == sale.id, "its sheet says so"
    assert door_queries.owed_today(lise) == []
    clock.advance(days=1)
    for _twice in range(2):
        gather()
    assert owed_in_all(session, lise) == 900 and queries.to_refund() == []
    assert broken() == []


def test_one_that_is_given_up_again_is_credited_once(shop, session, clock):
    lise = shop.lieu.cast.stranger
    public_id, _sale = paid_booking(shop, lise)
    booking.cancel(lise.actor(), public_id)
    booking.undo_cancel(lise.actor(), public_id)
    booking.cancel(lise.actor(), public_id)
    clock.advance(days=1)
    for _twice in range(2):
        gather()
    assert owed_in_all(session, lise) == 0
    assert [one.open_cents for one in queries.to_refund()] == [-900]


@pytest.mark.parametrize("first", ["sale", "undo"])
def test_one_whose_money_was_given_back_is_owed_when_it_is_taken_back(shop, session, clock, first):
    """Whether the sale is cancelled before it is taken back, or after."""
    lise = shop.lieu.cast.stranger
    public_id, sale = paid_booking(shop, lise)
    booking.cancel(lise.actor(), public_id)
    acts = [
        lambda: selling.cancel(shop.host, sale.public_id, "Ne vient pas"),
        lambda: booking.undo_cancel(lise.actor(), public_id),
    ]
    for act in acts if first == "sale" else reversed(acts):
        act()
    (line,) = door_queries.owed_today(lise)
    assert line.quote_id is not None
    clock.advance(days=1)
    for _twice in range(2):
        gather()
    assert owed_in_all(session, lise) == 900 and queries.to_refund() == []


def test_what_was_paid_stands_for_one_half_day_only(shop, session, clock):
    """Taken back, cancelled too late and booked once more, the place is owed for both times."""
    lise = shop.lieu.cast.stranger
    public_id, _sale = paid_booking(shop, lise)
    booking.cancel(lise.actor(), public_id)
    booking.undo_cancel(lise.actor(), public_id)
    clock.advance(minutes=11)
    place = booking.cancel(lise.actor(), public_id).units[0].resource.public_id
    clock.advance(minutes=3)
    booking.book_half_days(lise.actor(), TODAY, frozenset({"pm"}), resource=place, agreed_cents=900)
    assert len(door_queries.owed_today(lise)) == 1
    clock.advance(days=1)
    gather()
    assert owed_in_all(session, lise) == 1800
