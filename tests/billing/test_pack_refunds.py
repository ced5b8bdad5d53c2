"""What is left of a pack goes back: off the next invoice, or by a credit note of the one it stands on."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from coworking.billing import charges, discounts, pack_refunds, queries, services
from coworking.billing.models import Charge, Invoice
from coworking.booking import services as booking
from coworking.core import checks, guards
from coworking.core.db import db
from coworking.core.errors import DomainError, Forbidden
from coworking.core.units import write_unit
from coworking.membership import queries as memberships
from coworking.membership.models import PackReturn
from coworking.membership.pack_rules import PackNothingLeft, PackRefundChanged
from tests import factories
from tests.support.billing import NOVEMBER, TODAY, make_billing_lieu, settled
from tests.support.threads import at_once

THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
MORNING = frozenset({"am"})


@pytest.fixture
def lieu(app):
    with app.app_context():
        made = make_billing_lieu(vat_status="exempt")
        factories.make_tariff()
        yield made


@pytest.fixture
def pack(lieu):
    """Lise's ten half-days for 80 €, bought today; two are booked."""
    made = factories.make_pack(lieu.cast.stranger, cents=8000, valid_from=TODAY)
    for day in (THURSDAY, FRIDAY):
        booking.book_half_days(lieu.cast.stranger.actor(), day, MORNING)
    return made


@pytest.fixture
def outside(app):
    """The same, for what opens contexts of its own: the lieu, Lise's pack, its manager and Lise."""
    with app.app_context():
        made = make_billing_lieu(vat_status="exempt")
        factories.make_tariff()
        bought = factories.make_pack(made.cast.stranger, cents=8000, valid_from=TODAY)
        for day in (THURSDAY, FRIDAY):
            booking.book_half_days(made.cast.stranger.actor(), day, MORNING)
        db.session.refresh(bought)
        actors = made.manager, made.cast.stranger.actor()
        settled(made)
        return made, bought, actors


def give_back(manager, pack):
    found = pack_refunds.look(pack.public_id)
    return pack_refunds.give_back(manager, pack.public_id, agreed_cents=found.cents, agreed_units=found.left)


def amounts() -> list[tuple[str, int]]:
    rows = db.session.execute(select(Charge.source, Charge.amount_cents).order_by(Charge.id))
    return [tuple(row) for row in rows]


def faults() -> list[str]:
    db.session.rollback()
    return [fault for one, found in checks.run() if one.promise == 3 for fault in found if "is not closed" not in fault]


def test_before_it_is_invoiced_it_comes_off_the_next_invoice(lieu, pack):
    found = pack_refunds.look(pack.public_id)
    assert (found.left, found.cents, found.invoice) == (8, 6400, None)
    assert give_back(lieu.manager, pack) is None
    assert amounts() == [("pack", 8000), ("discount", -6400)]
    discount = db.session.scalars(select(Charge.label).where(Charge.source == "discount")).one()
    assert "Carnet rendu : 8 demi-journées" in discount
    assert memberships.left_of_pack(pack.id) == 0
    assert charges.gather(NOVEMBER) == 0, "it is charged already"
    assert faults() == []


def test_a_pack_that_nobody_used_is_not_invoiced_at_all(lieu):
    made = factories.make_pack(lieu.cast.stranger, cents=8000, valid_from=TODAY)
    charges.gather(NOVEMBER)
    give_back(lieu.manager, made)
    assert amounts() == [("pack", 8000), ("waiver", -8000)]
    assert faults() == []


def test_after_that_a_credit_note_takes_it_off_its_invoice(lieu, pack):
    services.run(lieu.manager, NOVEMBER)
    note = give_back(lieu.manager, pack)
    assert note is not None
    original = db.session.scalars(select(Invoice).where(Invoice.kind == "invoice")).one()
    assert (note.corrects_id, note.payable_cents, original.payable_cents) == (original.id, -6400, 8000)
    assert queries.content(note)["reason"] == "Carnet rendu\u202f: 8 demi-journées"
    assert queries.owed_on(original) == 1600
    assert faults() == []


def test_what_is_cancelled_afterwards_is_there_again_and_can_be_given_back_too(lieu, pack):
    services.run(lieu.manager, NOVEMBER)
    give_back(lieu.manager, pack)
    made = booking.book_half_days(lieu.cast.stranger.actor(), date(2026, 11, 30), MORNING)
    assert made.units[0].quote.cover == "tariff", "nothing is left of the pack"
    mine = db.session.scalars(text("SELECT public_id FROM booking WHERE day = '2026-11-27'")).one()
    booking.cancel(lieu.cast.stranger.actor(), mine)
    assert memberships.left_of_pack(pack.id) == 1
    assert (pack_refunds.look(pack.public_id).cents, give_back(lieu.manager, pack).payable_cents) == (800, -800)
    with pytest.raises(PackNothingLeft):
        give_back(lieu.manager, pack)
    assert faults() == []


def test_what_went_back_before_the_invoice_is_not_taken_for_a_discount_by_hand(lieu, pack, clock):
    give_back(lieu.manager, pack)
    clock.advance(minutes=1)
    services.run(lieu.manager, NOVEMBER)
    assert db.session.scalars(select(Invoice.payable_cents)).one() == 1600
    mine = db.session.scalars(text("SELECT public_id FROM booking WHERE day = '2026-11-27'")).one()
    booking.cancel(lieu.cast.stranger.actor(), mine)
    clock.advance(minutes=1)
    assert give_back(lieu.manager, pack).payable_cents == -800
    assert faults() == []


def test_what_was_let_off_before_does_not_go_back(lieu, pack):
    charges.gather(NOVEMBER)
    charge = db.session.scalars(select(Charge.public_id).where(Charge.source == "pack")).one()
    discounts.reduce(lieu.manager, charge, 4000, "Geste commercial")
    services.run(lieu.manager, NOVEMBER)
    assert pack_refunds.look(pack.public_id).cents == 3200, "eight tenths of the 40 € that were billed"
    assert give_back(lieu.manager, pack).payable_cents == -3200
    assert faults() == []


def test_the_page_s_amount_is_agreed_to_or_nothing_is_done(lieu, pack):
    for cents, units in ((6300, 8), (6400, 7)):
        with pytest.raises(PackRefundChanged):
            pack_refunds.give_back(lieu.manager, pack.public_id, agreed_cents=cents, agreed_units=units)
    with pytest.raises(Forbidden):
        pack_refunds.give_back(lieu.cast.host.actor(), pack.public_id, agreed_cents=6400, agreed_units=8)
    assert db.session.scalar(select(func.count()).select_from(PackReturn)) == 0


def test_sixteen_at_once_give_it_back_once_and_book_no_more_than_was_left(app, outside):
    _, pack, (manager, lise) = outside

    def back() -> str:
        with app.app_context():
            try:
                give_back(manager, pack)
            except DomainError as refusal:
                return refusal.code
            return "given"

    def book(day: date) -> str:
        with app.app_context():
            return str(booking.book_half_days(lise, day, MORNING).units[0].quote.cover)

    days = [date(2026, 12, day) for day in (1, 2, 3, 4, 7, 8, 9, 10)]
    told = at_once([*(back for _ in range(8)), *(partial(book, day) for day in days)])
    assert set(told) <= {"given", "pack_nothing_left", "pack_refund_changed", "pack", "tariff"}
    with app.app_context():
        given = db.session.scalar(select(func.coalesce(func.sum(PackReturn.units), 0)))
        assert given + told.count("pack") + memberships.left_of_pack(pack.id) == 8
        assert faults() == []


def test_the_database_refuses_to_give_back_what_is_booked_and_the_audit_finds_what_was_changed(lieu, pack):

    def too_much() -> None:
        with write_unit():
            db.session.add(PackReturn(pack_id=pack.id, units=9, cents=100, day=THURSDAY))
            db.session.flush()

    with pytest.raises(IntegrityError) as refusal:
        too_much()
    assert "pack_return_within" in str(refusal.value)
    give_back(lieu.manager, pack)
    with write_unit():
        guards.remove(db.session.connection())
        db.session.execute(text("UPDATE pack_return SET units = 11, cents = 9000"))
    found = " ".join(faults())
    assert f"pack {pack.id}: -3 of 10 units left" in found
    assert f"pack {pack.id}: 9000 of 8000 cents went back" in found
    with write_unit():
        guards.install(db.session.connection())


def test_a_manager_reads_what_it_comes_to_first(outside, sign_in):
    lieu, pack, _ = outside
    manager = sign_in(lieu.cast.manager)
    page = manager.get(f"/people/{lieu.cast.stranger.public_id}/membership").text
    assert f"/invoices/packs/{pack.public_id}/give-back" in page
    sheet = manager.get(f"/invoices/packs/{pack.public_id}/give-back").text
    assert "64,00" in sheet
    assert "Déduit de la prochaine facture" in sheet and "Reprendre 8 demi-journées" in sheet
    assert "Rembourser" not in sheet, "nobody paid it yet"
    sent = {"agreed": "6400", "units": "8"}
    assert manager.post(f"/invoices/packs/{pack.public_id}/give-back", data={"agreed": "x"}).status_code == 409
    assert manager.post(f"/invoices/packs/{pack.public_id}/give-back", data=sent).status_code == 303
    again = manager.post(f"/invoices/packs/{pack.public_id}/give-back", data=sent)
    assert again.status_code == 409
    assert "Il ne reste rien de ce carnet" in again.text
    assert "rendu\u202f: 8 demi-journées" in manager.get(f"/people/{lieu.cast.stranger.public_id}/membership").text
    assert sign_in(lieu.cast.stranger).get(f"/invoices/packs/{pack.public_id}/give-back").status_code in (403, 404)
