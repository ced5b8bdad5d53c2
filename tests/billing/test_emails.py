"""The PDF and the e-mail that carries it, as they are read."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Organisation, Person
from coworking.billing import handlers, online, online_opening, online_refunds, paying, pdf, queries, services
from coworking.billing.models import InvoicePdf
from coworking.core import outbox
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.pdf import PdfUnavailable, html
from coworking.core.units import write_unit
from tests.support import emails as golden
from tests.support.billing import OCTOBER, TODAY

pytestmark = pytest.mark.once

IBAN = "FR7630006000011234567890189"


@pytest.fixture
def issued(billing_lieu, inside):
    services.update_settings(billing_lieu.manager, iban=IBAN)
    return services.run(billing_lieu.manager, OCTOBER).issued


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_emails_in_both_languages(billing_lieu, inside, run_outbox, mailbox, language):
    with write_unit():
        for person in (billing_lieu.cast.stranger, billing_lieu.cast.colleague):
            db.session.get_one(Person, person.id).locale = language
        db.session.scalars(select(Organisation)).one().email = None
    services.update_settings(billing_lieu.manager, iban=IBAN)
    issued = services.run(billing_lieu.manager, OCTOBER).issued
    run_outbox()
    emails = {email["To"]: email for email in mailbox()}
    assert set(emails) == {"stranger@demo.example", "member@demo.example", "colleague@demo.example"}
    email = emails["stranger@demo.example"]
    golden.check(email, "billing/issued")
    golden.check(emails["colleague@demo.example"], "billing/issued-employer")
    (attached,) = email.iter_attachments()
    assert attached.get_content_type() == "application/pdf" and attached.get_content().startswith(b"%PDF-")
    theirs = next(row for row in issued if row.payer_person_id == billing_lieu.cast.stranger.id)
    services.credit(billing_lieu.manager, theirs.public_id, "Facturé par erreur")
    run_outbox()
    golden.check(mailbox()[-1], "billing/issued-undone")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    ("name", "paid", "taken"),
    [
        ("billing/issued-credit-part-unpaid", 0, 900),
        ("billing/issued-credit-part-paid", 6600, 900),
        ("billing/issued-credit-whole-part-paid", 5000, None),
        ("billing/issued-credit-whole-paid", 6600, None),
    ],
)
def test_a_credit_note_s_email_says_what_is_left_to_pay_or_given_back(
    billing_lieu, inside, run_outbox, mailbox, language, name, paid, taken
):
    with write_unit():
        db.session.get_one(Person, billing_lieu.cast.stranger.id).locale = language
    issued = services.run(billing_lieu.manager, OCTOBER).issued
    theirs = next(row for row in issued if row.payer_person_id == billing_lieu.cast.stranger.id)
    if paid:
        paying.record_payment(billing_lieu.manager, theirs.public_id, paid, TODAY, "transfer")
    services.credit(billing_lieu.manager, theirs.public_id, "Fermé un matin", taken=taken and {0: taken})
    run_outbox()
    golden.check(mailbox()[-1], name)


def test_a_pdf_is_made_once_and_sent_as_stored(billing_lieu, issued, run_outbox, mailbox):
    row = issued[0]
    first = pdf.pdf_of(row)
    assert pdf.pdf_of(row) == first and db.session.scalar(select(func.count(InvoicePdf.invoice_id))) == 1
    run_outbox()
    assert any(part.get_content() == first for email in mailbox() for part in email.iter_attachments())


def test_the_email_waits_while_no_pdf_can_be_made(billing_lieu, issued, run_outbox, mailbox, monkeypatch):
    def missing(*_args, **_options):
        raise PdfUnavailable(packages="libpango")

    monkeypatch.setattr("coworking.core.pdf.turn", missing)
    run_outbox()
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.topic == queries.ISSUED)).all()
    assert mailbox() == [] and all(row.state == "waiting" and row.last_error for row in rows)


def test_a_payer_without_address_gets_no_email(billing_lieu, issued, mailbox):
    with write_unit():
        db.session.scalars(select(Person).where(Person.id == billing_lieu.cast.stranger.id)).unique().one().email = None
    row = next(row for row in issued if row.payer_person_id == billing_lieu.cast.stranger.id)
    handlers.issued(outbox.Job("x", queries.ISSUED, "k", {"invoice": row.public_id}, 1))
    assert mailbox() == [] and db.session.get(InvoicePdf, row.id) is not None


def test_without_an_address_of_its_own_an_organisation_s_contact_gets_it(billing_lieu, issued, run_outbox, mailbox):
    with write_unit():
        db.session.scalars(select(Organisation)).one().email = None
    run_outbox()
    assert {email["To"] for email in mailbox()} == {
        "stranger@demo.example",
        "member@demo.example",
        "colleague@demo.example",
    }


def shown(row) -> str:
    content = pdf.readable(queries.content(row))
    page = html("billing/pdf.html", locale="fr", doc=content, place=content["seller"], qr=None)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"[\u202f\u00a0]", " ", page)))


def test_the_invoice_says_what_the_law_requires(billing_lieu, issued):
    by_payer = {queries.content(row)["buyer"]["name"]: shown(row) for row in issued}
    employer = by_payer["Coutellerie Durand SA"]
    for words in (
        "12 avenue de la Gare",
        "SIREN 987 654 321",
        "SIRET 123 456 789 00011",
        "TVA FR00123456789",
        "24 novembre 2026",
        "24 décembre 2026",
        "octobre 2026",
        "Anne Marchand : 2 · Karim Benali : 1",
        "20 %",
        "Total HT 22,50 €",
        "TVA 20 % sur 22,50 € 4,50 €",
        "Total TTC 27,00 €",
        "Escompte pour paiement anticipé : néant.",
        "40 €",
        "prestations de services",
    ):
        assert words in employer, (words, employer)
    person = by_payer["Lise Vidal"]
    assert "1, 5, 8, 12 octobre" in person and "2 h" in person
    assert "40 €" not in person and "Escompte" not in person


def test_a_credit_note_names_what_it_undoes(billing_lieu, issued):
    note = services.credit(billing_lieu.manager, issued[0].public_id, "Facturé par erreur")
    page = shown(note)
    assert f"Annule la facture {issued[0].number} du 24 novembre 2026" in page and "Facturé par erreur" in page
    assert "Total en votre faveur" in page


def test_a_lieu_without_vat_says_why(billing_lieu, inside):
    from coworking.spaces.models import Lieu

    with write_unit():
        db.session.get(Lieu, 1).vat_status = "franchise"
    billing_lieu.use(billing_lieu.cast.lead, date(2026, 10, 2), vat_rate_bp=0)
    page = shown(next(r for r in services.run(billing_lieu.manager, OCTOBER).issued if r.vat_cents == 0))
    assert "TVA non applicable, article L. 223-3 du Code des impositions sur les biens et services (CIBS)" in page
    assert "Total HT" not in page


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_payer_hears_of_money_that_arrived_and_of_a_refused_debit(
    gateway, billing_lieu, inside, run_outbox, mailbox, language
):
    with write_unit():
        db.session.get_one(Person, billing_lieu.cast.stranger.id).locale = language
    issued = services.run(billing_lieu.manager, OCTOBER).issued
    theirs = next(row for row in issued if row.payer_person_id == billing_lieu.cast.stranger.id)
    run_outbox()
    before = len(mailbox())

    def pays(*states: str) -> None:
        payment = online_opening.open_payment(
            [theirs.public_id], "stripe", pay_url="http://lieu.test/pay/x", locale="fr"
        )
        for state in states:
            reason = "insufficient_funds" if state == "failed" else None
            gateway.become(payment.checkout_id, state, means="debit", reason=reason)
            online.settle("stripe", payment.checkout_id)
            online.settle("stripe", payment.checkout_id)
        run_outbox()

    pays("pending", "failed")
    golden.check(mailbox()[-1], "billing/online-refused")
    pays("pending", "paid")
    golden.check(mailbox()[-1], "billing/online")
    services.credit(billing_lieu.manager, theirs.public_id, "Fermé un matin", taken={0: 900})
    run_outbox()
    online_refunds.refund_invoice(billing_lieu.manager, theirs.public_id, 900, "gateway")
    run_outbox()
    golden.check(mailbox()[-1], "billing/online-refunded")
    assert len(mailbox()) == before + 4
