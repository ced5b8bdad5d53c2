"""Reduced prices of packs and the annual membership, the word before one ends, and a jobseeker's way through all of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.billing import charges
from coworking.billing import services as billing
from coworking.billing.models import Charge
from coworking.booking import services
from coworking.core import sales
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from coworking.membership import checks as membership_checks
from coworking.membership import expiring, paying_first, queries
from coworking.membership import services as membership
from coworking.membership.entitlement import PriceChanged
from coworking.membership.models import Adhesion, Pack, PackOffer
from coworking.pricing import group_services
from coworking.pricing.group_models import PriceGroup, PriceGroupMember
from coworking.pricing.group_rules import Reduction
from coworking.pricing.models import Quote
from coworking.spaces.calendar import lock_lieu
from tests.factories import make_group, make_pack_offer, make_reduced, make_tariff
from tests.membership.first import ask_first, pay, sale_now
from tests.membership.reading import plain
from tests.support import emails as golden

TODAY, LATER = date(2026, 11, 24), date(2027, 6, 30)
NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def payable(monkeypatch):
    """Anything can be paid at once here."""
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])


@pytest.fixture
def half(inside, place, cast):
    """Jobseekers pay half of any pack, 5.00 for the year and half of a desk; the member is one."""
    make_tariff()
    group = make_group(pack=Reduction(percent_bp=5000), adhesion=Reduction(cents=500), desk=Reduction(percent_bp=5000))
    make_reduced(cast.member, group)
    return group


def only(model):
    db.session.rollback()
    return db.session.scalars(select(model)).one()


# Packs ----------------------------------------------------------------------------------------------------------------


def test_a_pack_costs_who_pays_less_their_price_and_its_line_says_why(half, cast):
    offer = make_pack_offer(cents=6000)
    membership.buy_pack(cast.member.actor(), offer.public_id, agreed_cents=3000)
    assert (only(Pack).cents, only(Pack).price_group_id) == (3000, half.id)
    charges.gather(NOVEMBER)
    line = only(Charge)
    assert line.amount_cents == 3000
    assert line.label.endswith(", tarif demandeur d’emploi")


def test_others_pay_the_full_price_and_their_line_says_nothing_of_it(half, cast):
    offer = make_pack_offer(cents=6000)
    with pytest.raises(PriceChanged):
        membership.buy_pack(cast.stranger.actor(), offer.public_id, agreed_cents=3000)
    membership.buy_pack(cast.stranger.actor(), offer.public_id, agreed_cents=6000)
    charges.gather(NOVEMBER)
    assert (only(Pack).price_group_id, "tarif" in only(Charge).label) == (None, False)


def test_a_pack_of_one_s_own_price_comes_before_the_percentage_of_every_pack(half, cast):
    first, other = make_pack_offer(cents=6000), make_pack_offer(cents=8000)
    group_services.set_group_prices(
        cast.manager.actor(),
        half.public_id,
        valid_from=TODAY,
        reductions={("pack", 0): Reduction(percent_bp=1000), ("pack", first.id): Reduction(cents=2000)},
    )
    end_read()
    groups = queries.groups_now(cast.member.id)
    assert [queries.pack_cents(offer, groups) for offer in (first, other)] == [2000, 7200]


def test_paid_first_the_sale_asks_for_the_reduced_price_and_keeps_it(half, cast, payable):
    ask_first()
    offer = make_pack_offer(cents=6000)
    sale = paying_first.sell_pack(cast.member.actor(), offer.public_id, agreed_cents=3000)
    assert sale_now(sale.public_id).lines[0]["label"].endswith(", tarif demandeur d’emploi")
    group_services.end(cast.host.actor(), only(PriceGroupMember).public_id)
    assert pay(sale.public_id), "what was quoted is what the payment buys"
    assert (only(Pack).cents, only(Pack).price_group_id) == (3000, half.id)


def test_once_it_is_ended_the_next_pack_costs_what_everyone_pays(half, cast):
    offer = make_pack_offer(cents=6000)
    group_services.end(cast.host.actor(), only(PriceGroupMember).public_id)
    with pytest.raises(PriceChanged):
        membership.buy_pack(cast.member.actor(), offer.public_id, agreed_cents=3000)
    assert db.session.scalars(select(Pack)).all() == []


# The annual membership ------------------------------------------------------------------------------------------------


def test_the_year_costs_who_pays_less_their_price(half, cast, payable):
    ask_first(2000)
    sale = paying_first.sell_adhesion(cast.member.actor(), agreed_cents=500)
    assert pay(sale.public_id)
    assert (only(Adhesion).cents, only(Adhesion).price_group_id) == (500, half.id)
    assert sale_now(sale.public_id).lines[0]["label"].endswith(", tarif demandeur d’emploi")


def test_a_manager_records_the_reduced_price_or_any_other(half, cast):
    manager = cast.manager.actor()
    membership.set_adhesion_price(manager, 2000)
    membership.record_adhesion(manager, cast.member.public_id, valid_from=TODAY, cents=500)
    membership.record_adhesion(manager, cast.member.public_id, valid_from=date(2027, 11, 24), cents=700)
    db.session.rollback()
    found = db.session.execute(select(Adhesion.cents, Adhesion.price_group_id).order_by(Adhesion.id))
    assert [tuple(row) for row in found] == [(500, half.id), (700, None)]
    charges.gather(NOVEMBER)
    assert only(Charge).label == "Adhésion annuelle, du 24 novembre 2026 au 23 novembre 2027, tarif demandeur d’emploi"


# The nightly check ---------------------------------------------------------------------------------------------------


def test_the_nightly_check_names_a_reduced_price_of_who_did_not_belong(half, cast):
    services.book_half_days(cast.member.actor(), date(2026, 11, 26), frozenset({"am"}))
    given = only(PriceGroupMember)
    group_services.end(cast.host.actor(), given.public_id)
    assert list(membership_checks.reduced_of_others()) == [], "what was booked before keeps its price"
    with write_unit():
        db.session.get_one(PriceGroupMember, given.id).person_id = cast.stranger.id
    (said,) = membership_checks.reduced_of_others()
    assert "did not belong" in said


# The word before it ends ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_end_is_told_thirty_and_seven_days_before(half, cast, clock, run_outbox, mailbox, language):
    with write_unit():
        db.session.get_one(Person, cast.member.id).locale = language
    clock.set(datetime(2027, 5, 30, 9, tzinfo=UTC))
    for _day in range(34):
        end_read()
        expiring.warn_of_ending()
        run_outbox()
        clock.advance(days=1)
    assert len(mailbox()) == 2
    golden.check(mailbox()[0], "membership/reduced_price_ending")


def test_who_has_the_next_one_or_lost_it_already_hears_nothing(half, cast, clock, run_outbox, mailbox):
    make_reduced(cast.member, half, valid_from=date(2027, 7, 1), valid_until=date(2028, 6, 30))
    given = make_reduced(cast.stranger, half)
    group_services.end(cast.host.actor(), given.public_id)
    clock.set(datetime(2027, 6, 10, 9, tzinfo=UTC))
    end_read()
    assert expiring.warn_of_ending() == 0


# A jobseeker with a pack ----------------------------------------------------------------------------------------------


def test_a_jobseeker_s_pack_from_the_proof_to_the_invoice(app, place, cast, sign_in, clock):
    """Given by the host, bought at half its price, cancelled in time for nothing, half the price once it is empty."""
    with app.app_context():
        make_tariff()
        make_pack_offer("Carnet de deux", units=2, cents=1600)
        with write_unit():
            lock_lieu().siret = "12345678900011"
    manager, host, member = sign_in(cast.manager), sign_in(cast.host), sign_in(cast.member)
    group_page = manager.post("/settings/reduced-prices", data={"start": "demandeur d’emploi"}).location
    typed = {"valid_from": "2026-11-24", "desk": "50 %", "pack": "50 %"}
    assert manager.post(group_page, data=typed).status_code == 303
    with app.app_context():
        group = db.session.scalars(select(PriceGroup.public_id)).one()
        offer = db.session.scalars(select(PackOffer.public_id)).one()
    given = {
        "group": group,
        "proof": "attestation France Travail",
        "seen_on": "2026-11-24",
        "valid_from": "2026-11-24",
        "valid_until": "2027-05-31",
    }
    assert host.post(f"/people/{cast.member.public_id}/reduced-price", data=given).status_code == 303

    assert "Acheter, 8,00 €" in plain(member.get("/me/plan"))
    asked = plain(member.get(f"/me/packs/{offer}"))
    assert "Tarif réduit (demandeur d’emploi) au lieu de 16,00 €." in asked
    assert member.post(f"/me/packs/{offer}", data={"agreed": "800"}).status_code == 303

    def left() -> int:
        with app.app_context():
            return queries.packs_of(cast.member.id, TODAY)[0].left

    def book(day: str, **more: str) -> None:
        assert member.post("/bookings", data={"day": day, "half": "am"} | more).status_code in (200, 303)

    def quotes() -> list[tuple[str, int, str]]:
        with app.app_context():
            rows = select(Quote.cover, Quote.amount_cents, Quote.state).order_by(Quote.id)
            return [tuple(row) for row in db.session.execute(rows)]

    book("2026-11-26")
    page = member.get("/me/bookings").text
    (booking,) = set(re.findall(r"/bookings/([0-9a-z]{16})", page))
    assert left() == 1
    assert member.post(f"/bookings/{booking}/cancel").status_code == 303
    assert left() == 2, "cancelled in time is neutral"
    book("2026-11-26")
    book("2026-11-27")
    assert left() == 0
    sheet = plain(member.get("/bookings/offer?day=2026-11-28&half=am"))
    assert "4,50 €, sur la facture de novembre 2026" in sheet
    assert "Tarif réduit (demandeur d’emploi) au lieu de 9,00 €." in sheet
    other_price = {"day": "2026-11-28", "half": "am", "agreed": "900"}
    assert member.post("/bookings", data=other_price).status_code == 409
    assert len(quotes()) == 3, "at another price than the sheet said nothing is booked"
    book("2026-11-28", agreed="450")
    assert [row[:2] for row in quotes()] == [("pack", 0), ("pack", 0), ("pack", 0), ("tariff", 450)]

    clock.set(datetime(2026, 12, 2, 9, tzinfo=UTC) + timedelta(hours=1))
    with app.app_context():
        run = billing.run(cast.manager.actor(), NOVEMBER)
        assert run.problems == []
        (issued,) = run.issued
        lines = {line["label"]: line["amount_cents"] for line in json.loads(issued.payload)["lines"]}
    assert lines == {
        "Carnet de deux : 2 demi-journées de poste, jusqu’au 23 mai 2027, tarif demandeur d’emploi".replace(
            " :", "\u202f:"
        ): 800,
        "Poste de travail, demi-journée, tarif demandeur d’emploi": 450,
    }
