"""One payer is invoiced without waiting for the month, whose run then leaves out what is invoiced."""

from __future__ import annotations

import re
import threading
from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Organisation
from coworking.billing import charges, drafts, pdf, rules, services
from coworking.billing.models import Charge, Invoice, InvoicePdf
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.pdf import html
from coworking.core.units import write_unit
from tests.support.billing import NOVEMBER, OCTOBER


def lise(billing_lieu) -> str:
    return f"p:{billing_lieu.cast.stranger.public_id}"


def test_the_run_of_the_month_skips_what_one_payer_was_invoiced(billing_lieu, session):
    charges.gather_recent()
    invoice = services.issue_one(billing_lieu.manager, lise(billing_lieu), NOVEMBER, 6600)
    assert (invoice.number, invoice.payable_cents, invoice.month) == ("F2026-0001", 6600, NOVEMBER)
    done = services.run(billing_lieu.manager, OCTOBER)
    assert invoice.payer_person_id not in {row.payer_person_id for row in done.issued}
    billed = select(func.sum(Charge.amount_cents)).where(Charge.payer_person_id == invoice.payer_person_id)
    assert session.scalar(billed) == 6600
    with pytest.raises(rules.NothingToInvoice):
        services.issue_one(billing_lieu.manager, lise(billing_lieu), NOVEMBER, 6600)


def test_an_amount_that_changed_meanwhile_is_looked_at_again(billing_lieu, session):
    charges.gather_recent()
    billing_lieu.use(billing_lieu.cast.stranger, date(2026, 11, 20))
    charges.gather_recent()
    with pytest.raises(rules.DraftChanged):
        services.issue_one(billing_lieu.manager, lise(billing_lieu), NOVEMBER, 6600)
    assert session.scalar(select(func.count(Invoice.id))) == 0
    assert services.issue_one(billing_lieu.manager, lise(billing_lieu), NOVEMBER, 7500).seq == 1


def test_only_a_manager_issues(billing_lieu, inside):
    charges.gather_recent()
    with pytest.raises(Forbidden):
        services.issue_one(billing_lieu.cast.host.actor(), lise(billing_lieu), NOVEMBER, 6600)


def test_the_button_pressed_by_sixteen_issues_once(billing_lieu, app):
    with app.app_context():
        charges.gather_recent()
    start, refused = threading.Barrier(16), []

    def press() -> None:
        with app.app_context():
            start.wait()
            try:
                services.issue_one(billing_lieu.manager, lise(billing_lieu), NOVEMBER, 6600)
            except (rules.NothingToInvoice, rules.DraftChanged) as error:
                refused.append(error)
            db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 15
    with app.app_context():
        assert db.session.scalar(select(func.count(Invoice.id))) == 1


def test_the_page_prepares_shows_and_issues(billing_lieu, sign_in, app):
    browser, payer = sign_in(billing_lieu.cast.manager), lise(billing_lieu)
    assert "Facturer maintenant" in browser.get(f"/people/{billing_lieu.cast.stranger.public_id}").text
    prepared = browser.post(f"/invoices/now/{payer}/prepare")
    assert prepared.status_code == 303
    page = browser.get(prepared.location).text
    assert "Émettre cette facture de 66,00" in page and 'name="shown" value="6600"' in page
    stale = browser.post(f"/invoices/now/{payer}", data={"shown": "6500"})
    assert stale.status_code == 409 and "Le montant a changé" in stale.text
    done = browser.post(f"/invoices/now/{payer}", data={"shown": "6600"})
    assert done.status_code == 303 and "F2026-0001" in browser.get(done.location).text
    assert "Rien à facturer à Lise Vidal" in browser.get(f"/invoices/now/{payer}").text
    again = browser.post(f"/invoices/now/{payer}", data={"shown": "6600"})
    assert again.status_code == 409
    for nobody in ("p:x", "o:x", "x"):
        assert browser.get(f"/invoices/now/{nobody}").status_code == 404
        assert browser.post(f"/invoices/now/{nobody}").status_code == 404
    with app.app_context():
        ready = drafts.prepare(NOVEMBER)
    assert all(row.draft.buyer.name != "Lise Vidal" for row in ready)


def test_a_payer_of_the_running_month_is_one_tap_from_its_page(billing_lieu, sign_in, app):
    with app.app_context():
        charges.gather_recent()
    browser = sign_in(billing_lieu.cast.manager)
    links = re.findall(r'href="(/invoices/now/[op]:\w+)"', browser.get("/invoices/month/2026-11").text)
    assert len(links) == 3
    assert all(browser.get(link).status_code == 200 for link in links)
    # A month that is over is looked at and issued payer by payer as well.
    last = re.findall(r'href="(/invoices/now/[op]:\w+\?month=2026-10)"', browser.get("/invoices/month/2026-10").text)
    assert len(last) == 3
    drafted = browser.get(next(link for link in last if lise(billing_lieu) in link))
    assert "Brouillon pour" in drafted.text and 'name="month" value="2026-10"' in drafted.text
    issued = browser.post(f"/invoices/now/{lise(billing_lieu)}", data={"shown": "6600", "month": "2026-10"})
    assert issued.status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Invoice.month)).one() == OCTOBER
    assert browser.get(f"/invoices/now/{lise(billing_lieu)}?month=2027-10").status_code == 422


def test_a_draft_is_read_as_a_pdf_and_issues_nothing(billing_lieu, sign_in, app):
    with app.app_context():
        charges.gather_recent()
        ready = drafts.of_payer(lise(billing_lieu), NOVEMBER)
        assert ready is not None
        content = pdf.readable(drafts.preview(ready))
        paper = html("billing/pdf.html", locale="fr", doc=content, place=content["seller"], qr=None, is_draft=True)
    assert "Brouillon" in paper and "F0000-0000" not in paper and "66,00" in paper
    browser = sign_in(billing_lieu.cast.manager)
    url = f"/invoices/now/{lise(billing_lieu)}"
    assert f"{url}.pdf" in browser.get(url).text
    assert browser.get(f"{url}.pdf").data.startswith(b"%PDF-")
    assert browser.get("/invoices/now/p:x.pdf").status_code == 404
    assert browser.get(f"/invoices/now/p:{billing_lieu.cast.lead.public_id}.pdf").status_code == 404
    with app.app_context():
        assert db.session.scalar(select(func.count(Invoice.id))) == 0
        assert db.session.scalar(select(func.count(InvoicePdf.invoice_id))) == 0


def test_what_prevents_issuing_leads_to_where_it_is_mended(billing_lieu, sign_in, app):
    with app.app_context():
        charges.gather_recent()
        with write_unit():
            db.session.get_one(Organisation, billing_lieu.employer.id).city = None
    payer = f"o:{billing_lieu.employer.public_id}"
    page = sign_in(billing_lieu.cast.manager).get(f"/invoices/now/{payer}").text
    assert f"/organisations/{billing_lieu.employer.public_id}" in page
    assert 'name="shown"' not in page


@pytest.mark.parametrize("who", ["accountant", "host", "member"])
def test_the_pages_are_for_managers(billing_lieu, sign_in, who):
    browser, payer = sign_in(getattr(billing_lieu.cast, who)), lise(billing_lieu)
    assert browser.get(f"/invoices/now/{payer}").status_code == 403
    assert browser.post(f"/invoices/now/{payer}", data={"shown": "6600"}).status_code == 403
    assert browser.post(f"/invoices/now/{payer}/prepare").status_code == 403
