"""The story of an employer that pays 70 % up to a cap: what is said before booking is what both invoices say after it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.billing import services
from coworking.billing.models import Invoice
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Agreement
from tests import factories
from tests.support.billing import make_billing_lieu, settled

DECEMBER = date(2026, 12, 1)


@pytest.fixture
def lieu(app):
    with app.app_context():
        made = make_billing_lieu(vat_status="exempt")
        factories.make_tariff()
        with write_unit():
            db.session.delete(db.session.get_one(Agreement, made.agreement_id))
            other = Organisation(name="Papeterie Roux")
            db.session.add(other)
            db.session.flush()
            contact = OrganisationMember(
                organisation_id=other.id, person_id=made.cast.stranger.id, since=factories.LONG_AGO, is_contact=True
            )
            db.session.add(contact)
        settled(made)
        return made


def said(page: str) -> str:
    return " ".join(page.replace("\u202f", " ").replace("\u00a0", " ").split())


def test_an_employer_pays_seventy_percent_up_to_a_cap(app, lieu, sign_in, clock):
    manager, member = sign_in(lieu.cast.manager), sign_in(lieu.cast.member)
    agreed = {"valid_from": "2026-11-24", "share": "70", "cap": "20", "cap_of": "person", "beyond": "person"}
    assert manager.post(f"/organisations/{lieu.employer.public_id}/agreements", data=agreed).status_code == 303

    # Before booking, the sheet says both parts; another price is refused.
    told = []
    for day, mine in (("07", 270), ("08", 270), ("09", 270), ("10", 790)):
        told.append(said(member.get(f"/bookings/offer?day=2026-12-{day}&half=am").text))
        asked = {"day": f"2026-12-{day}", "half": "am"}
        assert member.post("/bookings", data=asked | {"agreed": "0"}).status_code in (409, 422)
        assert member.post("/bookings", data=asked | {"agreed": str(mine)}).status_code == 303
    assert "Coutellerie Durand SA en paie 6,30 €." in told[0]
    assert "2,70 €, sur la facture de décembre 2026, payé par vous." in told[0]
    assert "Coutellerie Durand SA en paie 1,10 €." in told[3]
    assert "Votre employeur ne paie plus rien ce mois-ci" in said(
        member.get("/bookings/offer?day=2026-12-11&half=am").text
    )
    assert "Encore 0,00 € d’ici le 31 décembre." in said(member.get("/week?from=2026-12-07").text)

    clock.set(datetime(2027, 1, 2, 9, tzinfo=UTC))
    with app.app_context():
        services.run(lieu.manager, DECEMBER)
        invoices = db.session.scalars(select(Invoice).order_by(Invoice.payable_cents.desc())).all()
        assert [(row.payer_organisation_id is not None, row.payable_cents) for row in invoices] == [
            (True, 2000),
            (False, 1600),
        ]
        employers, own = (row.public_id for row in invoices)
    page = said(member.get(f"/invoices/{own}").text)
    assert "part non payée par votre employeur" in page
    assert member.get(f"/invoices/{employers}").status_code == 404

    contact, stranger = sign_in(lieu.cast.colleague), sign_in(lieu.cast.stranger)
    page = said(contact.get(f"/invoices/{employers}").text)
    assert "part de l’employeur" in page
    assert contact.get(f"/invoices/{own}").status_code == 404, "what Anne pays herself is hers alone"
    assert "20,00 € en décembre 2026." in said(contact.get(f"/employer/{lieu.employer.public_id}?month=2026-12").text)
    for hidden in (f"/invoices/{employers}", f"/employer/{lieu.employer.public_id}", f"/invoices/{own}"):
        assert stranger.get(hidden).status_code == 404
