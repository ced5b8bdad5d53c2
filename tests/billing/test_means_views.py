"""The page « How I pay », as members, contacts and managers see it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from coworking.billing import collecting, services
from coworking.billing.means_models import SavedMeans
from coworking.core.db import db
from coworking.core.units import end_read
from tests.support.billing import OCTOBER
from tests.support.statements import counted

pytestmark = pytest.mark.once


def text_of(answer) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))
    return re.sub(r"\s+", " ", text.replace("\u00a0", " ").replace("\u202f", " ").replace("&#39;", "'"))


@pytest.fixture
def saves(gateway):
    return gateway.saved_means


@pytest.fixture
def sign_in(billing_lieu, sign_in):
    return lambda name: sign_in(getattr(billing_lieu.cast, name))


def the_means(app) -> SavedMeans:
    with app.app_context():
        found = db.session.scalars(select(SavedMeans).order_by(SavedMeans.id.desc())).first()
        db.session.expunge_all()
        return found


def saved(client, app, saves, kind="card", **form) -> SavedMeans:
    sent = client.post("/means", data={"payer": "me", "agrees": "1"} | form)
    assert sent.status_code == 303, text_of(sent)
    row = the_means(app)
    assert sent.location == row.checkout_url
    saves.save(row.checkout_id, kind)
    assert client.get(f"/means/back?means={row.public_id}").status_code == 303
    return the_means(app)


def test_a_member_saves_sees_and_withdraws_a_card(app, saves, sign_in):
    client = sign_in("stranger")
    page = client.get("/means")
    assert "La Fabrique du Pont à encaisser ce qui est dû sur les factures adressées à Lise Vidal" in text_of(page)
    assert "http://pay.test" in page.headers["Content-Security-Policy"]
    row = saved(client, app, saves)
    assert row.state == "active" and "Lise Vidal" in row.agreed_to
    page = text_of(client.get("/means"))
    assert "Carte Visa finissant par 4242" in page and "décembre 2034" in page
    asked = text_of(client.get(f"/means/{row.public_id}/withdraw"))
    assert "Retirer" in asked and the_means(app).state == "active"
    client.post(f"/means/{row.public_id}/withdraw")
    assert the_means(app).state == "ended"
    assert "Payer sans y penser" in text_of(client.get("/means"))


def test_without_the_box_nothing_is_asked_for(app, saves, sign_in):
    answer = sign_in("stranger").post("/means", data={"payer": "me"})
    assert answer.status_code == 422 and "Cochez la case" in text_of(answer)
    assert the_means(app) is None


def test_a_gateway_that_is_away_is_said_on_the_page(app, saves, gateway, sign_in):
    gateway.away = True
    answer = sign_in("stranger").post("/means", data={"payer": "me", "agrees": "1"})
    assert answer.status_code == 503 and "ne répond pas pour l’instant" in text_of(answer)


def test_a_contact_saves_an_account_for_their_organisation(app, saves, sign_in, billing_lieu):
    client, employer = sign_in("colleague"), billing_lieu.employer.public_id
    assert "Coutellerie Durand SA" in text_of(client.get("/means"))
    assert "sur les factures adressées à Coutellerie Durand SA" in text_of(client.get(f"/means?payer={employer}"))
    row = saved(client, app, saves, "debit", payer=employer)
    assert row.payer_organisation_id == billing_lieu.employer.id
    page = text_of(client.get(f"/means?payer={employer}"))
    assert "Compte finissant par 2606" in page and "CWK-1" in page


def test_strangers_open_nothing(app, saves, sign_in, billing_lieu):
    row, employer = saved(sign_in("stranger"), app, saves), billing_lieu.employer.public_id
    for name in ("member", "host", "accountant"):
        other = sign_in(name)
        for path in (
            f"/means?payer={employer}",
            f"/means/{row.public_id}/withdraw",
            f"/means/back?means={row.public_id}",
        ):
            assert other.get(path).status_code == 404, (name, path)
        assert other.post(f"/means/{row.public_id}/withdraw").status_code == 404
        assert other.post("/means", data={"payer": employer, "agrees": "1"}).status_code == 404
    assert the_means(app).state == "active"
    assert app.test_client().get("/means").status_code in {302, 303, 401}


def test_what_comes_next_is_seen_on_every_page_of_the_payer(app, saves, sign_in, billing_lieu):
    client = sign_in("stranger")
    saved(client, app, saves)
    with app.app_context():
        issued = services.run(billing_lieu.manager, OCTOBER).issued
        number = next(row.public_id for row in issued if row.payable_cents == 6600)
    for path in ("/me", "/invoices/mine", "/means", f"/invoices/{number}"):
        page = text_of(client.get(path))
        assert "25 novembre" in page, path
        assert "66,00" in page, path
    assert "Payer maintenant" in text_of(client.get("/me"))
    assert "finissant par 4242" in text_of(sign_in("manager").get(f"/invoices/{number}"))


def test_a_manager_sees_who_pays_by_themselves_and_nothing_more(app, saves, sign_in):
    row = saved(sign_in("stranger"), app, saves)
    manager = sign_in("manager")
    answer = manager.get("/settings/payments/saved")
    assert "Lise Vidal" in text_of(answer) and "4242" in text_of(answer)
    body = answer.get_data(as_text=True)
    assert row.means_id not in body and row.customer_id not in body
    manager.post(f"/means/{row.public_id}/withdraw")
    assert the_means(app).state == "ended"
    for name in ("member", "host", "accountant"):
        assert sign_in(name).get("/settings/payments/saved").status_code == 403


@pytest.mark.parametrize(("typed", "status"), [("7", 303), ("1", 422), ("15", 422), ("x", 422), ("", 422)])
def test_how_long_before_a_debit_is_told_is_two_days_at_least(app, saves, sign_in, typed, status):
    answer = sign_in("manager").post("/settings/payments/saved", data={"notice_days": typed})
    assert answer.status_code == status


def test_the_member_reads_when_a_debit_comes(app, saves, sign_in, billing_lieu, clock):
    client = sign_in("stranger")
    saved(client, app, saves, "debit")
    with app.app_context():
        services.run(billing_lieu.manager, OCTOBER)
        collecting.collect_due()
    assert "29 novembre" in text_of(client.get("/invoices/mine"))


def test_the_list_of_managers_costs_the_same_however_many_there_are(app, saves, sign_in, billing_lieu):
    manager = sign_in("manager")

    def cost() -> int:
        manager.get("/settings/payments/saved")
        with counted(db_engine(app)) as statements:
            assert manager.get("/settings/payments/saved").status_code == 200
        return len(statements)

    saved(sign_in("stranger"), app, saves)
    one = cost()
    saved(sign_in("member"), app, saves)
    saved(sign_in("colleague"), app, saves, "debit", payer=billing_lieu.employer.public_id)
    assert cost() == one


def db_engine(app):
    with app.app_context():
        end_read()
        return db.engine


def test_nobody_saves_without_an_account(app, saves):
    app.test_client().post("/means", data={"payer": "me", "agrees": "1"})
    assert the_means(app) is None
