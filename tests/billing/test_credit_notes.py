"""Credit notes take back an invoice, or a part of it, once and to the cent."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from coworking.billing import credit_rules, paying, queries, rules, services
from coworking.billing.models import Invoice
from coworking.core import guards
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.units import end_read
from tests.support.billing import NOVEMBER, TODAY, standing
from tests.support.threads import at_once


def test_a_credit_note_undoes_an_invoice_to_the_cent_once(billing_lieu, invoice, session):
    note = services.credit(billing_lieu.manager, invoice.public_id, "Facturé par erreur")
    for name in ("net_cents", "vat_cents", "gross_cents", "rounding_cents", "payable_cents"):
        assert getattr(note, name) == -getattr(invoice, name)
    content = queries.content(note)
    assert content["corrects"] == {"number": invoice.number, "issued_on": "2026-11-24", "in_part": False}
    assert (note.number, note.corrects_id) == ("A2026-0001", invoice.id)
    assert standing(billing_lieu, invoice).state == "credited"
    with pytest.raises(credit_rules.AlreadyCredited):
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


def lines_left(invoice) -> dict[int, int]:
    notes = map(queries.content, queries.credit_notes_of(invoice))
    return credit_rules.left_of(queries.content(invoice), credit_rules.taken_by(notes))


def test_a_part_is_taken_back_and_the_rest_stays_owed(billing_lieu, invoice, session):
    note = services.credit(billing_lieu.manager, invoice.public_id, "Fermé un matin", taken={0: 900})
    assert (note.payable_cents, standing(billing_lieu, invoice).open_cents) == (-900, invoice.payable_cents - 900)
    assert standing(billing_lieu, invoice).state == "partial"
    with pytest.raises(credit_rules.BilledAgainInPart):
        services.credit(billing_lieu.manager, invoice.public_id, "Adresse", again=True)
    rest = services.credit(billing_lieu.manager, invoice.public_id, "Le reste")
    assert note.payable_cents + rest.payable_cents == -invoice.payable_cents
    assert (standing(billing_lieu, invoice).state, lines_left(invoice)) == ("credited", {})
    with pytest.raises(credit_rules.AlreadyCredited):
        services.credit(billing_lieu.manager, invoice.public_id, "Encore", taken={0: 1})


def test_a_part_taken_back_of_a_paid_invoice_is_to_be_refunded(billing_lieu, invoice, session):
    paying.record_payment(billing_lieu.manager, invoice.public_id, invoice.payable_cents, TODAY, "transfer")
    services.credit(billing_lieu.manager, invoice.public_id, "Fermé un matin", taken={0: 900})
    assert (standing(billing_lieu, invoice).state, standing(billing_lieu, invoice).open_cents) == ("paid", -900)


def test_two_at_once_take_back_a_line_once(billing_lieu, invoice, app):
    whole, public_id = lines_left(invoice), invoice.public_id
    end_read()

    def take() -> bool:
        with app.app_context():
            try:
                services.credit(billing_lieu.manager, public_id, "Ensemble", taken=whole)
            except DomainError:
                return False
            return True

    assert sorted(at_once([take] * 6)) == [*[False] * 5, True]


def forged(invoice, lines: list[tuple[int | None, int]]) -> None:
    """A credit note by SQL, past the service: (place of the invoice's line or None, cents) for each line."""
    seq = db.session.scalar(select(func.max(Invoice.seq))) + 1
    content = [{"amount_cents": cents} | ({} if place is None else {"of_line": place}) for place, cents in lines]
    values = {column.name: getattr(invoice, column.name) for column in Invoice.__table__.columns}
    values |= {
        "id": invoice.id + 1000 + seq,
        "public_id": f"forged{seq}",
        "seq": seq,
        "number": f"A2026-9{seq}",
        "kind": "credit_note",
        "corrects_id": invoice.id,
        "payload": json.dumps({"lines": content}),
        "prev": f"prev{seq}",
    } | {name: -values[name] for name in ("net_cents", "vat_cents", "gross_cents", "rounding_cents", "payable_cents")}
    end_read()
    with db.engine.begin() as connection:
        connection.execute(insert(Invoice.__table__).values(**values))


@pytest.mark.parametrize("lines", [[(0, -100_000)], [(None, -100_000)], [(0, 1)], [(9, -1)]])
def test_the_database_refuses_to_take_back_more_than_a_line_holds(billing_lieu, invoice, session, lines):
    with pytest.raises(IntegrityError) as refused:
        forged(invoice, lines)
    assert guards.refused_by(refused.value) == "credit_within"


def test_the_database_counts_what_earlier_notes_took(billing_lieu, invoice, session):
    services.credit(billing_lieu.manager, invoice.public_id, "Fermé un matin", taken={0: 900})
    left = lines_left(invoice)[0]
    with pytest.raises(IntegrityError):
        forged(invoice, [(0, -left - 1)])
    forged(invoice, [(0, -left)])
