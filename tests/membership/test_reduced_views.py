"""Reduced prices on their pages: who may open them, what is typed, and what the person reads."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from coworking.core.db import db
from coworking.pricing import group_queries
from coworking.pricing.group_models import PriceGroup, PriceGroupMember
from coworking.pricing.group_rules import Reduction
from tests.factories import make_group, make_pack_offer, make_reduced, make_tariff
from tests.membership.reading import plain

pytestmark = pytest.mark.once

SETTINGS = "/settings/reduced-prices"
TODAY = date(2026, 11, 24)


@pytest.fixture
def priced(app, place):
    with app.app_context():
        make_tariff()


def reductions(app) -> dict[tuple[str, int], Reduction]:
    with app.app_context():
        (group,) = group_queries.groups()
        return dict(group_queries.group_prices_on(TODAY, [group.id])[0].reductions)


def given(app) -> dict[str, str]:
    """What a host types."""
    with app.app_context():
        group = db.session.scalars(select(PriceGroup.public_id)).one()
    return {
        "group": group,
        "proof": "attestation France Travail",
        "seen_on": "2026-11-24",
        "valid_from": "2026-11-24",
        "valid_until": "2027-05-31",
    }


def test_only_managers_say_who_pays_less_and_only_the_team_gives_it(app, priced, cast, sign_in):
    with app.app_context():
        group = make_group().public_id
    person = f"/people/{cast.member.public_id}/reduced-price"
    for path in (SETTINGS, f"{SETTINGS}/{group}"):
        assert sign_in(cast.manager).get(path).status_code == 200
        assert sign_in(cast.host).get(path).status_code == 403
    assert sign_in(cast.host).get(person).status_code == 200
    for one in (cast.member, cast.accountant):
        assert sign_in(one).get(person).status_code == 403
        assert sign_in(one).post(person, data=given(app)).status_code == 403
    assert sign_in(cast.host).get("/people/nobody/reduced-price").status_code == 404


def test_a_group_begins_with_a_name_and_then_says_what_it_pays(app, priced, cast, sign_in):
    browser = sign_in(cast.manager)
    assert "demandeur d’emploi" in browser.get(SETTINGS).text
    added = browser.post(SETTINGS, data={"start": "demandeur d’emploi"})
    assert added.status_code == 303
    page = added.location
    typed = {"valid_from": "2026-11-24", "desk": "50 %", "room": "5"}
    assert browser.post(page, data=typed).status_code == 303
    assert reductions(app) == {("desk", 0): Reduction(percent_bp=5000), ("room", 0): Reduction(cents=500)}
    shown = plain(browser.get(page))
    assert 'value="50 %"' in shown
    assert "9,00 €" in shown, "what everyone else pays"
    assert "−50 %" in plain(browser.get(SETTINGS))


def test_what_is_typed_wrong_stays_and_changes_nothing(app, priced, cast, sign_in):
    with app.app_context():
        group = make_group(desk=Reduction(percent_bp=5000)).public_id
        make_pack_offer()
    browser = sign_in(cast.manager)
    wrong = browser.post(f"{SETTINGS}/{group}", data={"valid_from": "2026-11-24", "desk": "la moitié"})
    assert wrong.status_code == 422
    assert 'value="la moitié"' in wrong.text
    every = browser.post(f"{SETTINGS}/{group}", data={"valid_from": "2026-11-24", "pack": "30"})
    assert every.status_code == 422, "one price for every pack says nothing"
    past = browser.post(f"{SETTINGS}/{group}", data={"valid_from": "2026-11-23", "desk": "10 %"})
    assert past.status_code == 422
    assert reductions(app) == {("desk", 0): Reduction(percent_bp=5000)}
    assert browser.post(SETTINGS, data={"name": " "}).status_code == 422
    assert browser.post(SETTINGS, data={"name": "x" * 41}).status_code == 422
    assert browser.post(SETTINGS, data={"name": "demandeur d’emploi"}).status_code == 409


def test_a_reduced_price_is_not_above_the_one_that_everyone_pays(app, priced, cast, sign_in):
    with app.app_context():
        group, offer = make_group(), make_pack_offer()
        page, pack, full = f"{SETTINGS}/{group.public_id}", f"pack-{offer.id}", offer.cents
    browser = sign_in(cast.manager)
    day = {"valid_from": "2026-11-24"}
    for typed in ({"room": "99"}, {pack: f"{full // 100 + 1}"}):
        refused = browser.post(page, data=day | typed)
        assert refused.status_code == 422
        assert "Les autres paient" in refused.text
    assert browser.post(page, data=day | {pack: f"{full // 100}"}).status_code == 303
    shown = plain(browser.get(page))
    assert "Une formule ou un carnet en particulier" in shown
    assert "Un pourcentage seulement." in shown


def test_reductions_to_come_can_be_cancelled_until_they_apply(app, priced, cast, sign_in):
    with app.app_context():
        group = make_group(desk=Reduction(percent_bp=5000)).public_id
    browser, page = sign_in(cast.manager), f"{SETTINGS}/{group}"
    browser.post(page, data={"valid_from": "2026-12-01", "desk": "10 %"})
    with app.app_context():
        (row,) = group_queries.groups()
        later, now_given = (one.public_id for one in group_queries.group_tariffs(row.id))
    assert "À partir du mardi 1er décembre" in browser.get(page).text
    assert browser.post(f"{page}/{later}/cancel").status_code == 303
    browser.post(f"{page}/{now_given}/cancel")
    with app.app_context():
        assert [one.public_id for one in group_queries.group_tariffs(row.id)] == [now_given]


def test_the_host_gives_it_and_the_person_reads_it(app, priced, cast, sign_in):
    with app.app_context():
        make_group(desk=Reduction(percent_bp=5000))
    host, page = sign_in(cast.host), f"/people/{cast.member.public_id}/reduced-price"
    assert host.post(page, data=given(app)).status_code == 303
    assert "attestation France Travail, vu le 24 novembre 2026" in host.get(page).text
    assert host.post(page, data=given(app)).status_code == 409, "there already"
    member = sign_in(cast.member)
    assert "Tarif réduit" in member.get("/me").text
    mine = plain(member.get("/me/plan"))
    assert "Jusqu’au 31 mai 2027." in mine
    assert "−50 %" in mine
    sheet = plain(member.get("/bookings/offer?day=2026-11-26&half=am"))
    assert "4,50 €" in sheet
    assert "Tarif réduit (demandeur d’emploi) au lieu de 9,00 €." in sheet
    assert "Ce que je paie" not in sign_in(cast.stranger).get("/me/plan").text


def test_without_proof_or_with_impossible_dates_nothing_is_given(app, priced, cast, sign_in):
    with app.app_context():
        make_group(desk=Reduction(percent_bp=5000))
    host, page = sign_in(cast.host), f"/people/{cast.member.public_id}/reduced-price"
    for wrong in (
        {"proof": ""},
        {"seen_on": "2026-11-25"},
        {"valid_until": "2026-11-20"},
        {"valid_from": "2026-11-23"},
        {"group": "nobody"},
        {"valid_until": "demain"},
    ):
        answer = host.post(page, data=given(app) | wrong)
        assert answer.status_code == 422, wrong
    with app.app_context():
        assert db.session.scalars(select(PriceGroupMember)).all() == []


def test_the_team_ends_it(app, priced, cast, sign_in):
    with app.app_context():
        row = make_reduced(cast.member, make_group(desk=Reduction(percent_bp=5000))).public_id
    page = f"/people/{cast.member.public_id}/reduced-price"
    assert sign_in(cast.member).post(f"{page}/{row}/end").status_code == 403
    host = sign_in(cast.host)
    assert host.post(f"{page}/{row}/end").status_code == 303
    assert host.post(f"{page}/nobody/end").status_code == 404
    assert "Ce que je paie" not in sign_in(cast.member).get("/me/plan").text
