"""Changing, pausing and taking back a plan on its pages: one's own, and on somebody's behalf."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from coworking.core import sales
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Subscription
from coworking.pricing.models import Sale
from tests.factories import make_plan, make_subscription, make_tariff
from tests.membership.first import ask_first
from tests.membership.reading import plain

pytestmark = pytest.mark.once

DECEMBER, FEBRUARY = date(2026, 12, 1), date(2027, 2, 1)


@pytest.fixture
def large(app, place, cast) -> str:
    """The member has eight half-days for 60 €; twenty for 120 € can be had."""
    with app.app_context():
        make_tariff()
        held = make_subscription(cast.member, halfdays=8)
        with write_unit():
            db.session.get_one(Subscription, held.id).vat_rate_bp = 0
        return make_plan("Vingt demi-journées", halfdays=20, cents=12000).public_id


def held(app) -> list[tuple[date, date | None, date | None]]:
    with app.app_context():
        rows = db.session.scalars(
            select(Subscription).where(Subscription.withdrawn_at.is_(None)).order_by(Subscription.id)
        )
        return [(row.first_month, row.last_month, row.from_day) for row in rows][1:]


def test_what_a_change_costs_is_said_before_and_agreed_to(app, cast, sign_in, large):
    member = sign_in(cast.member)
    assert "Changer de formule" in plain(member.get("/me/plan"))
    sheet = plain(member.get(f"/me/plan/{large}/change?from=now"))
    assert "Tout de suite, jusqu’au 30 novembre : <b>3 demi-journées de plus</b>, pour 14,00 €." in sheet
    assert "À partir de décembre 2026 : 120,00 € par mois, 20 demi-journées par mois." in sheet
    dearer = member.post(f"/me/plan/{large}/change", data={"from": "now", "agreed": "1300"})
    assert dearer.status_code == 409 and held(app) == []
    assert member.post(f"/me/plan/{large}/change", data={"from": "now", "agreed": "1400"}).status_code == 303
    assert held(app) == [(date(2026, 11, 1), date(2026, 11, 1), date(2026, 11, 24)), (DECEMBER, None, None)]
    page = plain(member.get("/me/plan"))
    assert "<b>Dix demi-journées</b> · Il reste 8" in page and "<b>Vingt demi-journées</b> · Il reste 3" in page
    assert "14,00 € à partir du 24 novembre, 3 demi-journées de plus" in page
    assert "Changer de formule" not in page


def test_a_change_is_taken_back_with_one_tap(app, cast, sign_in, large):
    member = sign_in(cast.member)
    member.post(f"/me/plan/{large}/change", data={"from": "next"})
    page = member.get("/me/plan").text
    assert "Annuler Vingt demi-journées" in page
    (address,) = {part.split('"')[0] for part in page.split('action="')[1:] if "take-back" in part.split('"')[0]}
    assert sign_in(cast.stranger).post(address).status_code == 404
    assert member.post(address).status_code == 303
    assert member.post(address).status_code == 303
    assert held(app) == []
    assert "Arrêter cette formule fin novembre 2026" in plain(member.get("/me/plan"))


def test_who_goes_back_after_the_deed_reads_how_their_plan_stands(app, cast, sign_in, large):
    member, stranger = sign_in(cast.member), sign_in(cast.stranger)
    member.post(f"/me/plan/{large}/change", data={"from": "next"})
    for sheet in (f"/me/plan/{large}/change?from=now", "/me/plan/pause"):
        assert stranger.get(sheet).status_code == 404
        answer = member.get(sheet)
        assert (answer.status_code, answer.location) == (303, "/me/plan")
        assert "Votre formule a changé depuis" in plain(member.get("/me/plan"))
        within = member.get(sheet, headers={"HX-Request": "true"})
        assert within.headers["HX-Redirect"] == "/me/plan"
        member.get("/me/plan")


def test_an_end_by_a_wrong_tap_is_mended_by_the_next(app, cast, sign_in, large):
    member = sign_in(cast.member)

    def press(word: str) -> None:
        addresses = [part.split('"')[0] for part in member.get("/me/plan").text.split('action="')[1:]]
        (address,) = [one for one in addresses if one.endswith(word)]
        assert member.post(address).status_code == 303

    press("/end")
    assert "Garder finalement" in plain(member.get("/me/plan"))
    press("/keep")
    assert "Arrêter cette formule" in plain(member.get("/me/plan"))


def test_a_plan_rests_until_the_month_that_is_chosen(app, cast, sign_in, large):
    member = sign_in(cast.member)
    sheet = plain(member.get("/me/plan/pause"))
    assert 'href="/bookings"' in sheet, "where what is booked meanwhile is cancelled"
    assert "janvier 2027" in sheet and "juin 2027" in sheet and "juillet 2027" not in sheet
    assert member.post("/me/plan/pause", data={"back": "2026-12"}).status_code == 422
    assert member.post("/me/plan/pause", data={"back": "demain"}).status_code == 422
    assert member.post("/me/plan/pause", data={"back": "2027-02"}).status_code == 303
    assert held(app) == [(FEBRUARY, None, None)]
    page = member.get("/me/plan")
    assert "Suspendue à partir de décembre 2026 ; elle reprend en février 2027." in plain(page)
    assert page.text.count("take-back") == 1 and "Annuler" not in page.text, "one card and one button"
    listed = plain(sign_in(cast.manager).get("/subscriptions"))
    assert listed.count("Dix demi-journées") == 1 and "elle reprend en février 2027" in listed


def test_lifting_a_pause_says_so_and_nothing_else_changes(app, cast, sign_in, large):
    member = sign_in(cast.member)
    member.post("/me/plan/pause", data={"back": "2027-02"})
    page = member.get("/me/plan").text
    assert "Ne plus suspendre Dix demi-journées" in page
    (address,) = {part.split('"')[0] for part in page.split('action="')[1:] if "take-back" in part.split('"')[0]}
    for _time in range(2):
        answer = plain(member.post(address, follow_redirects=True))
        assert "n’est plus suspendue" in answer and "annulée" not in answer
    assert held(app) == []
    with app.app_context():
        assert db.session.scalars(select(Subscription.last_month).order_by(Subscription.id)).first() is None


def test_a_plan_that_rests_this_month_says_so_and_one_that_missed_a_month_is_cancelled(
    app, cast, sign_in, large, clock
):
    member = sign_in(cast.member)
    member.post("/me/plan/pause", data={"back": "2027-02"})
    clock.advance(days=10)
    page = plain(member.get("/me/plan"))
    assert "Suspendue à partir de décembre 2026" in page and "Ne plus suspendre Dix demi-journées" in page
    clock.advance(days=30)
    page = plain(member.get("/me/plan"))
    assert "Suspendue à partir de décembre 2026" in page and "Annuler Dix demi-journées" in page


def test_who_has_no_plan_and_for_which_there_is_nothing_to_change(app, cast, sign_in, large):
    stranger = sign_in(cast.stranger)
    assert stranger.get(f"/me/plan/{large}/change").status_code == 404
    assert stranger.get("/me/plan/pause").status_code == 404
    assert stranger.post("/me/plan/pause", data={"back": "2027-02"}).status_code == 404
    assert stranger.post(f"/people/{cast.member.public_id}/membership/pause", data={"back": "2027-02"}).status_code in (
        403,
        404,
    )


def test_a_manager_changes_pauses_and_takes_back_for_others(app, cast, sign_in, large):
    manager, page = sign_in(cast.manager), f"/people/{cast.member.public_id}/membership"
    assert "Changer la formule" in plain(manager.get(page))
    assert manager.post(f"{page}/change", data={"plan": large, "from": "now"}).status_code == 303
    following = held(app)[-1]
    assert following == (DECEMBER, None, None)
    with app.app_context():
        taken = db.session.scalars(select(Subscription.public_id).where(Subscription.first_month == DECEMBER)).one()
    assert manager.post(f"{page}/{taken}/take-back").status_code == 303
    assert held(app) == []
    assert manager.post(f"{page}/pause", data={"back": "2027-02"}).status_code == 303
    assert "Ne plus suspendre Dix demi-journées" in plain(manager.get(page))
    assert held(app) == [(FEBRUARY, None, None)]


def test_where_plans_are_paid_first_the_rest_of_the_month_is(app, cast, sign_in, large, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])
    with app.app_context():
        ask_first()
    member = sign_in(cast.member)
    assert "Payer 14,00 € et changer de formule" in plain(member.get(f"/me/plan/{large}/change?from=now"))
    led = member.post(f"/me/plan/{large}/change", data={"from": "now", "agreed": "1400"})
    with app.app_context():
        sale = db.session.scalars(select(Sale)).one()
    assert sale.cents == 1400 and sale.public_id in (led.headers.get("HX-Redirect") or led.location)
    assert held(app) == []
    page = f"/people/{cast.member.public_id}/membership"
    asked = sign_in(cast.manager).post(f"{page}/change", data={"plan": large, "from": "next", "ask": "1"})
    assert asked.status_code == 303 and "/asked" in asked.location and held(app) == []
