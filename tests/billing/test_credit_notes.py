"""A credit note undoes an invoice once, to the cent."""

from __future__ import annotations

import pytest

from coworking.billing import paying, queries, rules, services
from tests.support.billing import NOVEMBER, TODAY, standing


def test_a_credit_note_undoes_an_invoice_to_the_cent_once(billing_lieu, invoice, session):
    note = services.credit(billing_lieu.manager, invoice.public_id, "Facturé par erreur")
    for name in ("net_cents", "vat_cents", "gross_cents", "rounding_cents", "payable_cents"):
        assert getattr(note, name) == -getattr(invoice, name)
    content = queries.content(note)
    assert content["corrects"] == {"number": invoice.number, "issued_on": "2026-11-24"}
    assert (note.number, note.corrects_id) == ("A2026-0001", invoice.id)
    assert standing(billing_lieu, invoice).state == "credited"
    with pytest.raises(rules.AlreadyCredited):
        services.credit(billing_lieu.manager, invoice.public_id, "Encore")
    with pytest.raises(rules.NotAnInvoice):
        services.credit(billing_lieu.manager, note.public_id, "Un avoir d’avoir")
    assert services.run(billing_lieu.manager, NOVEMBER).issued == []


def test_what_was_credited_is_billed_again_only_when_asked(billing_lieu, invoice, session):
    services.credit(billing_lieu.manager, invoice.public_id, "Adresse erronée", again=True)
    (again,) = services.run(billing_lieu.manager, NOVEMBER).issued
    assert again.payable_cents == invoice.payable_cents
    assert queries.content(again)["lines"] == queries.content(invoice)["lines"]


def test_what_was_paid_on_a_credited_invoice_is_to_be_refunded(billing_lieu, invoice, session):
    paid = paying.record_payment(billing_lieu.manager, invoice.public_id, 6600, TODAY, "transfer")
    services.credit(billing_lieu.manager, invoice.public_id, "Facturé par erreur")
    assert standing(billing_lieu, invoice).open_cents == -6600
    with pytest.raises(rules.PaidTooMuch):
        paying.record_payment(billing_lieu.manager, invoice.public_id, 1, TODAY, "cash")
    paying.correct_payment(billing_lieu.manager, invoice.public_id, paid.public_id)
    assert standing(billing_lieu, invoice).open_cents == 0


@pytest.mark.parametrize("text", ["", "   ", "x" * 201])
def test_a_credit_note_says_why(billing_lieu, invoice, text):
    with pytest.raises(rules.ReasonMissing):
        services.credit(billing_lieu.manager, invoice.public_id, text)
