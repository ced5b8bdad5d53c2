"""A manager takes a part off what is not invoiced yet: the invoice says so, and nothing is taken off twice."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from coworking.billing import (
    charges,
    discount_rules,
    discounts,
    documents,
    drafts,
    line_rules,
    manual_charges,
    queries,
    rules,
    services,
)
from coworking.billing.discount_rules import DiscountTooMuch, NothingToDiscount, amount_off, percent_off
from coworking.billing.models import Charge, Invoice
from coworking.core import checks as all_checks
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.units import write_unit
from tests.support.billing import NOVEMBER, OCTOBER


def lise(billing_lieu) -> str:
    return f"p:{billing_lieu.cast.stranger.public_id}"


def of_lise(billing_lieu, session, **values) -> list[Charge]:
    charges.gather(OCTOBER)
    found = select(Charge).where(Charge.payer_person_id == billing_lieu.cast.stranger.id).filter_by(**values)
    return list(session.scalars(found.order_by(Charge.day)))


def wrong() -> list[str]:
    """What `flask audit` finds wrong about money."""
    return [fault for one, found in all_checks.run() if one.promise == 3 for fault in found]


def invoice_of(done: services.Run, person) -> Invoice:
    return next(row for row in done.issued if row.payer_person_id == person.id)


@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=30), st.data())
def test_an_amount_is_shared_out_to_the_cent_and_takes_no_more_than_there_is(amounts, data):
    whole = sum(amounts)
    if whole == 1:
        return
    cents = data.draw(st.integers(1, whole - 1))
    shares = amount_off(amounts, cents)
    assert sum(shares) == cents
    assert all(0 <= share <= amount for share, amount in zip(shares, amounts, strict=True))
    with pytest.raises(DiscountTooMuch):
        amount_off(amounts, whole)


@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=30), st.integers(1, 9_999))
def test_a_percentage_is_rounded_half_up_on_each_line(amounts, bp):
    shares = percent_off(amounts, bp)
    assert shares == [(2 * amount * bp + 10_000) // 20_000 for amount in amounts]
    assert all(0 <= share <= amount for share, amount in zip(shares, amounts, strict=True))


def test_a_part_comes_off_on_a_line_of_its_own_with_its_reason(billing_lieu, session):
    first = of_lise(billing_lieu, session, family="desk")[0]
    assert discounts.reduce(billing_lieu.manager, first.public_id, 300, "Panne de chauffage") == 300
    with pytest.raises(discount_rules.AlreadyDiscounted):
        discounts.reduce(billing_lieu.manager, first.public_id, 200, "Encore")
    invoice = invoice_of(services.run(billing_lieu.manager, OCTOBER), billing_lieu.cast.stranger)
    assert invoice.payable_cents == 6600 - 300
    line = next(row for row in queries.content(invoice)["lines"] if row["amount_cents"] < 0)
    assert "Panne de chauffage" in line["label"] and first.label in line["label"]
    assert (line["quantity"], line["unit"], line["amount_cents"], line["vat_rate_bp"]) == (1, "piece", -300, 2000)
    assert wrong() == []
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "billing.discounted")).one()
    assert (entry.details["cents"], entry.details["reason"]) == (300, "Panne de chauffage")


def test_all_of_it_is_a_waiver_and_stays_off_the_invoice(billing_lieu, session):
    first = of_lise(billing_lieu, session, family="desk")[0]
    discounts.reduce(billing_lieu.manager, first.public_id, 300, "Geste")
    assert discounts.reduce(billing_lieu.manager, first.public_id, 900, "Tout offert") == 900
    assert session.scalars(select(Charge.source).where(Charge.amount_cents < 0)).all() == ["waiver"]
    invoice = invoice_of(services.run(billing_lieu.manager, OCTOBER), billing_lieu.cast.stranger)
    assert invoice.payable_cents == 6600 - 900
    assert all(line["amount_cents"] > 0 for line in queries.content(invoice)["lines"])


@pytest.mark.parametrize("cents", [0, -5, 901])
def test_nothing_and_more_than_there_is_are_refused(billing_lieu, session, cents):
    first = of_lise(billing_lieu, session, family="desk")[0]
    with pytest.raises((discount_rules.DiscountNothing, DiscountTooMuch)):
        discounts.reduce(billing_lieu.manager, first.public_id, cents, "Geste")
    assert session.scalar(select(func.count()).select_from(Charge).where(Charge.amount_cents < 0)) == 0


def test_a_percentage_on_everything_comes_off_once(billing_lieu, session):
    charges.gather(OCTOBER)
    assert discounts.reduce_all(billing_lieu.manager, lise(billing_lieu), OCTOBER, "Fidélité", percent_bp=1000) == 660
    with pytest.raises(NothingToDiscount):
        discounts.reduce_all(billing_lieu.manager, lise(billing_lieu), OCTOBER, "Fidélité", percent_bp=1000)
    invoice = invoice_of(services.run(billing_lieu.manager, OCTOBER), billing_lieu.cast.stranger)
    lines = queries.content(invoice)["lines"]
    assert invoice.payable_cents == 5940
    off = {row["label"]: (row["quantity"], row["amount_cents"]) for row in lines if row["amount_cents"] < 0}
    assert sorted(off.values()) == [(1, -300), (4, -360)]


def test_an_amount_on_everything_is_shared_over_the_lines(billing_lieu, session):
    charges.gather(OCTOBER)
    discounts.reduce_all(billing_lieu.manager, lise(billing_lieu), OCTOBER, "Accueil", cents=1000)
    invoice = invoice_of(services.run(billing_lieu.manager, OCTOBER), billing_lieu.cast.stranger)
    assert invoice.payable_cents == 5600
    assert wrong() == []


def test_an_organisation_counts_no_half_day_for_a_discount(billing_lieu, session):
    charges.gather(OCTOBER)
    payer = f"o:{billing_lieu.employer.public_id}"
    discounts.reduce_all(billing_lieu.manager, payer, OCTOBER, "Convention", percent_bp=1250)
    done = services.run(billing_lieu.manager, OCTOBER)
    invoice = next(row for row in done.issued if row.payer_organisation_id == billing_lieu.employer.id)
    content = queries.content(invoice)
    assert {bool(line["people"]) for line in content["lines"] if line["amount_cents"] < 0} == {False}
    assert sum(one["quantity"] for line in content["lines"] for one in line["people"]) == 3
    documents.check_amounts(content)


def test_a_discount_is_taken_back_until_it_is_invoiced(billing_lieu, session):
    charges.gather(OCTOBER)
    discounts.reduce_all(billing_lieu.manager, lise(billing_lieu), OCTOBER, "Fidélité", percent_bp=1000)
    one = session.scalars(select(Charge).where(Charge.source == "discount").limit(1)).one()
    manual_charges.remove_line(billing_lieu.manager, one.public_id)
    assert discounts.take_back(billing_lieu.manager, lise(billing_lieu), OCTOBER) == 4
    assert discounts.take_back(billing_lieu.manager, lise(billing_lieu), OCTOBER) == 0
    discounts.reduce_all(billing_lieu.manager, lise(billing_lieu), OCTOBER, "Fidélité", percent_bp=500)
    invoice = invoice_of(services.run(billing_lieu.manager, OCTOBER), billing_lieu.cast.stranger)
    assert invoice.payable_cents == 6600 - 330
    kept = session.scalars(select(Charge).where(Charge.source == "discount").limit(1)).one()
    with pytest.raises(rules.AlreadyInvoiced):
        manual_charges.remove_line(billing_lieu.manager, kept.public_id)


def test_a_credited_invoice_is_billed_again_with_its_discounts(billing_lieu, session):
    charges.gather(OCTOBER)
    discounts.reduce_all(billing_lieu.manager, lise(billing_lieu), OCTOBER, "Fidélité", percent_bp=1000)
    invoice = invoice_of(services.run(billing_lieu.manager, OCTOBER), billing_lieu.cast.stranger)
    services.credit(billing_lieu.manager, invoice.public_id, "Mauvaise adresse", again=True)
    again = services.issue_one(billing_lieu.manager, lise(billing_lieu), NOVEMBER, 5940)
    assert again.payable_cents == 5940
    assert wrong() == []
    # What is billed again can be reduced no further, and be waived with its discount.
    services.credit(billing_lieu.manager, again.public_id, "Encore", again=True)
    room = session.scalars(
        select(Charge).where(Charge.invoice_id.is_(None), Charge.family == "room", Charge.source == "rebill")
    ).one()
    discounts.reduce(billing_lieu.manager, room.public_id, room.amount_cents, "Offert")
    assert drafts.of_payer(lise(billing_lieu), NOVEMBER).totals.payable_cents == 4 * 810


def test_a_discount_given_while_a_run_bills_goes_with_its_charge(billing_lieu, session, monkeypatch):
    """The run has read the charges and has not locked them: the discount that comes now is billed with them."""
    first = of_lise(billing_lieu, session, family="desk")[0]
    prepare = drafts.prepare

    def and_then_reduced(month: date):
        found = prepare(month)
        discounts.reduce(billing_lieu.manager, first.public_id, 300, "Panne")
        return found

    monkeypatch.setattr(drafts, "prepare", and_then_reduced)
    invoice = invoice_of(services.run(billing_lieu.manager, OCTOBER), billing_lieu.cast.stranger)
    assert invoice.payable_cents == 6300
    assert session.scalar(select(func.count()).select_from(Charge).where(Charge.invoice_id.is_(None))) == 0


def test_the_button_pressed_by_eight_takes_off_once(billing_lieu, app):
    with app.app_context():
        charges.gather(OCTOBER)
    start = threading.Barrier(8)

    def press() -> None:
        with app.app_context():
            start.wait()
            try:
                discounts.reduce_all(billing_lieu.manager, lise(billing_lieu), OCTOBER, "Fidélité", percent_bp=1000)
            except (NothingToDiscount, DiscountTooMuch):
                pass
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        off = select(func.sum(Charge.amount_cents), func.count()).where(Charge.source == "discount")
        assert db.session.execute(off).one() == (-660, 5)


def test_only_a_manager_reduces(billing_lieu, session):
    host = billing_lieu.cast.host.actor()
    first = of_lise(billing_lieu, session, family="desk")[0]
    with pytest.raises(Forbidden):
        discounts.reduce(host, first.public_id, 100, "Geste")
    with pytest.raises(Forbidden):
        discounts.reduce_all(host, lise(billing_lieu), OCTOBER, "Geste", percent_bp=100)
    with pytest.raises(Forbidden):
        discounts.take_back(host, lise(billing_lieu), OCTOBER)


def test_the_audit_finds_a_discount_that_takes_off_more_than_its_charge(billing_lieu, session):
    first = of_lise(billing_lieu, session, family="desk")[0]
    discounts.reduce(billing_lieu.manager, first.public_id, 300, "Geste")
    with write_unit():
        row = db.session.scalars(select(Charge).where(Charge.source == "discount")).one()
        row.amount_cents, row.unit_cents, public = -901, 901, row.public_id
    assert f"the discount {public} takes 901 off 900" in wrong()


def test_lines_of_discounts_share_out_the_sums_in_both_bases():
    item = line_rules.ChargedItem("desk", "Poste", 1, "half_day", 900, 900, "ttc", 2000, OCTOBER)
    off = line_rules.ChargedItem("desk", "Remise (geste) : Poste", 1, "piece", 33, -33, "ttc", 2000, OCTOBER)
    for organisation in (True, False):
        body = line_rules.document_body([item, off, item, off], organisation=organisation)
        assert sum(line.net_cents for line in body.lines) == body.totals.net_cents
        assert body.totals.payable_cents == 1734
