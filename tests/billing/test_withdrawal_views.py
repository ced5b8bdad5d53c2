"""Reading what withdrawing comes to, and doing it: on one's own page, and as a manager for who wrote a letter."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape

import pytest
from sqlalchemy import select

from coworking.booking import services as booking
from coworking.core.db import db
from coworking.membership import services as membership
from coworking.membership.models import Subscription
from coworking.membership.withdrawal_models import Withdrawal
from tests import factories
from tests.support.billing import NOVEMBER, make_billing_lieu, settled

pytestmark = pytest.mark.once


@pytest.fixture
def bought(app):
    """The lieu, and the public ids of Lise's plan for 60 € and pack for 80 €, both bought online on 24 November."""
    with app.app_context():
        made = make_billing_lieu(vat_status="exempt")
        lise = made.cast.stranger.actor()
        plan = membership.subscribe(lise, factories.make_plan(cents=6000).public_id, first_month=NOVEMBER).public_id
        pack = membership.buy_pack(lise, factories.make_pack_offer("Carnet", cents=8000).public_id).public_id
        settled(made)
        return made, plan, pack


def words(answer) -> str:
    """What the page says, its tags and line breaks left out."""
    bare = re.sub(r"<[^>]+>", " ", unescape(answer.get_data(as_text=True)))
    return " ".join(bare.split())


def sheet_of(client, kind: str, public_id: str):
    return client.get(f"/invoices/withdraw/{kind}/{public_id}")


def confirm(client, kind: str, public_id: str, page: str, **also: str):
    agreed = re.search(r'name="agreed" value="(\d+)"', page)
    assert agreed is not None, page
    return client.post(f"/invoices/withdraw/{kind}/{public_id}", data={"agreed": agreed[1], **also})


def test_a_member_reads_what_it_comes_to_and_confirms_it(bought, sign_in, clock):
    lieu, plan, pack = bought
    clock.advance(days=2)
    lise = sign_in(lieu.cast.stranger)
    mine = words(lise.get("/me/plan"))
    assert "Se rétracter de « Dix demi-journées », jusqu’au 8 décembre 2026" in mine
    assert "Se rétracter de « Carnet », jusqu’au 8 décembre 2026" in mine
    page = sheet_of(lise, "plan", plan)
    assert "Pour ce qui a été utilisé 25,71 € pour les jours jusqu’au 26 novembre 2026 Revient 34,29 €" in words(page)
    answer = confirm(lise, "plan", plan, page.get_data(as_text=True))
    assert (answer.status_code, answer.location) == (303, "/me/plan")
    mine = words(lise.get("/me/plan"))
    assert "La rétractation est enregistrée." in mine
    assert "Terminée le 26 novembre 2026." in mine
    assert "Dix demi-journées : rétractation du 26 novembre 2026." in mine
    assert "Se rétracter de « Dix demi-journées »" not in mine
    page = sheet_of(lise, "pack", pack)
    assert "10 demi-journées sur 10" in words(page)
    assert confirm(lise, "pack", pack, page.get_data(as_text=True)).status_code == 303
    assert 'name="agreed"' not in sheet_of(lise, "pack", pack).get_data(as_text=True)


def test_what_is_booked_on_a_pack_is_paid_and_the_rest_is_given_back(bought, sign_in, clock, app):
    lieu, plan, pack = bought
    clock.advance(days=2)
    lise = sign_in(lieu.cast.stranger)
    confirm(lise, "plan", plan, sheet_of(lise, "plan", plan).get_data(as_text=True))
    with app.app_context():
        factories.make_tariff()
        booking.book_half_days(lieu.cast.stranger.actor(), date(2026, 11, 27), frozenset({"am"}), agreed_cents=None)
    page = sheet_of(lise, "pack", pack)
    assert "Pour ce qui a été utilisé ou est réservé" in words(page)
    confirm(lise, "pack", pack, page.get_data(as_text=True))
    page = words(sheet_of(lise, "pack", pack))
    assert "pour ce qui a été utilisé ou réservé" in page and "Revenir à ma formule" in page
    said = words(lise.get("/me/allowances"))
    assert "Depuis le 24 novembre 2026, tous mois compris : Reçu : 10 demi-journées." in said
    assert "Rendu : 9 demi-journées." in said


def test_what_has_changed_meanwhile_is_said_and_nothing_is_done(bought, sign_in, clock):
    lieu, plan, _ = bought
    lise = sign_in(lieu.cast.stranger)
    clock.advance(days=1)
    page = sheet_of(lise, "plan", plan).get_data(as_text=True)
    clock.advance(days=1)
    answer = confirm(lise, "plan", plan, page)
    assert answer.status_code == 409
    assert "ce sont maintenant 34,29 € qui reviennent" in words(answer)
    assert confirm(lise, "plan", plan, answer.get_data(as_text=True)).status_code == 303


def test_after_the_last_day_the_page_says_so_and_offers_nothing(bought, sign_in, clock):
    lieu, plan, _ = bought
    clock.set(clock.now + timedelta(days=15))
    lise = sign_in(lieu.cast.stranger)
    assert "Se rétracter" not in words(lise.get("/me/plan"))
    page = sheet_of(lise, "plan", plan)
    assert "Le délai de rétractation s’est terminé le mardi 8 décembre 2026." in words(page)
    assert 'name="agreed"' not in page.get_data(as_text=True)
    assert lise.post(f"/invoices/withdraw/plan/{plan}", data={"agreed": "5613"}).status_code == 409


def test_a_manager_writes_down_a_letter_from_the_day_it_was_sent(bought, sign_in, clock, app):
    lieu, plan, _ = bought
    clock.set(clock.now + timedelta(days=20))
    manager, person = sign_in(lieu.cast.manager), lieu.cast.stranger.public_id
    assert "Noter une lettre de rétractation : Dix demi-journées" in words(manager.get(f"/people/{person}/membership"))
    assert "s’est terminé le mardi 8 décembre 2026" in words(sheet_of(manager, "plan", plan)), "today is too late"
    page = manager.get(f"/invoices/withdraw/plan/{plan}?sent_on=2026-11-26")
    assert "25,71 €" in words(page)
    answer = confirm(manager, "plan", plan, page.get_data(as_text=True), sent_on="2026-11-26")
    assert answer.location == f"/people/{person}/membership"
    assert "rétractation du 26 novembre 2026" in words(manager.get(answer.location))
    with app.app_context():
        made = db.session.scalars(select(Withdrawal)).one()
        assert made.created_by_id == lieu.cast.manager.id


@pytest.mark.parametrize("sent_on", ["hier", "2026-13-01", "1020-01-01"])
def test_a_day_that_cannot_be_read_is_refused(bought, sign_in, sent_on):
    lieu, plan, _ = bought
    manager = sign_in(lieu.cast.manager)
    answer = manager.post(f"/invoices/withdraw/plan/{plan}", data={"agreed": "6000", "sent_on": sent_on})
    assert answer.status_code in (409, 422)
    assert 'name="agreed"' not in answer.get_data(as_text=True)


def test_nobody_else_sees_it(bought, sign_in):
    lieu, plan, pack = bought
    for other in (lieu.cast.member, lieu.cast.host):
        browser = sign_in(other)
        for kind, bought_by_lise in (("plan", plan), ("pack", pack)):
            assert sheet_of(browser, kind, bought_by_lise).status_code == 404
            assert browser.post(f"/invoices/withdraw/{kind}/{bought_by_lise}", data={"agreed": "0"}).status_code == 404


def test_the_right_is_said_before_buying(bought, sign_in, app):
    lieu, _, _ = bought
    with app.app_context():
        plan, pack = factories.make_plan("Autre").public_id, factories.make_pack_offer("Autre").public_id
    member = sign_in(lieu.cast.member)
    said = "Pendant 14 jours, vous pouvez vous rétracter sans donner de raison"
    for path in (f"/me/plan/{plan}?from=now", f"/me/packs/{pack}"):
        assert said in words(member.get(path))
    with app.app_context():
        assert db.session.scalars(select(Subscription.at_distance)).one() is True
