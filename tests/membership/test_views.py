"""Plans, adhesions and organisations on their pages: whose they are, what is typed, what stays."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership import queries
from coworking.membership.models import Adhesion, Agreement, Plan, Subscription
from coworking.pricing.models import Tariff
from coworking.spaces import services as spaces
from coworking.spaces.models import Lieu
from tests.factories import make_agreement, make_plan, make_subscription, make_tariff
from tests.membership.reading import plain

pytestmark = pytest.mark.once

MANAGED = ["/settings/prices", "/settings/plans", "/settings/plans/new", "/organisations", "/organisations/new"]


def only(app, model):
    with app.app_context():
        return db.session.scalars(select(model)).one()


def audited(app) -> set[str]:
    with app.app_context():
        return set(db.session.scalars(select(AuditEntry.action)))


@pytest.mark.parametrize("path", MANAGED)
def test_hosts_and_members_do_not_meet_the_manager_s_pages(place, cast, sign_in, path):
    assert sign_in(cast.manager).get(path).status_code == 200
    for person in (cast.host, cast.member, cast.accountant):
        assert sign_in(person).get(path).status_code == 403


def test_prices_are_set_from_a_day_on_and_past_ones_stay(app, place, cast, sign_in):
    browser = sign_in(cast.manager)
    today = {"valid_from": "2026-11-24", "desk": "9", "room": "15,50", f"r-{place.rooms[1].public_id}": "6"}
    assert browser.post("/settings/prices", data=today).status_code == 303
    tariff = only(app, Tariff)
    assert (tariff.basis, tariff.vat_rate_bp) == ("ttc", 0)
    past = browser.post("/settings/prices", data={"valid_from": "2026-11-23", "desk": "8"})
    assert past.status_code == 422
    assert 'value="8"' in past.text
    assert browser.post("/settings/prices", data={"valid_from": "2026-12-01", "desk": "neuf"}).status_code == 422
    browser.post("/settings/prices", data={"valid_from": "2026-12-01", "desk": "10"})
    with app.app_context():
        later = db.session.scalars(select(Tariff.public_id).where(Tariff.valid_from > date(2026, 11, 24))).one()
    assert browser.post(f"/settings/prices/{later}/remove").status_code == 303
    browser.post(f"/settings/prices/{only(app, Tariff).public_id}/remove")
    assert only(app, Tariff).valid_from == date(2026, 11, 24)
    assert {"tariff.set", "tariff.removed"} <= audited(app)


def test_who_charges_no_vat_never_meets_it(app, place, cast, sign_in):
    browser = sign_in(cast.manager)
    for path in ("/settings/prices", "/settings/plans/new"):
        assert "TVA" not in browser.get(path).text
    with app.app_context(), write_unit():
        db.session.get(Lieu, 1).vat_status = "taxable"
    for path in ("/settings/prices", "/settings/plans/new"):
        assert "TVA" in browser.get(path).text


def test_a_plan_is_offered_chosen_and_ended_at_the_month_s_end(app, place, cast, sign_in):
    manager, member = sign_in(cast.manager), sign_in(cast.member)
    manager.post("/settings/plans/new", data={"name": "Dix", "monthly": "60", "halfdays": "10"})
    plan = only(app, Plan)
    asked = member.get(f"/me/plan/{plan.public_id}?from=now").text
    assert "60,00\u00a0€ pour novembre 2026, puis chaque mois jusqu’à ce que vous l’arrêtiez." in asked
    with app.app_context():
        assert db.session.query(Subscription).count() == 0, "what costs money is said before it is taken"
    member.post(f"/me/plan/{plan.public_id}", data={"from": "now"})
    held = only(app, Subscription)
    assert (held.first_month, held.monthly_cents, held.halfdays_per_month) == (date(2026, 11, 1), 6000, 10)
    assert "60,00\u00a0€ par mois" in member.get("/me/plan").text
    again = member.post(f"/me/plan/{plan.public_id}", data={"from": "next"})
    assert again.status_code == 409 and "60,00\u00a0€ par mois" in again.text, "already subscribed: said where one is"
    assert member.post(f"/me/plan/{plan.public_id}", data={"from": "then"}).status_code == 422
    assert member.get(f"/me/plan/{plan.public_id}?from=then").status_code == 422
    stranger = sign_in(cast.stranger).post(f"/me/subscriptions/{held.public_id}/end")
    assert stranger.status_code == 404
    member.post(f"/me/subscriptions/{held.public_id}/end")
    assert only(app, Subscription).last_month == date(2026, 11, 1)
    manager.post(f"/settings/plans/{plan.public_id}/closed")
    assert sign_in(cast.stranger).get(f"/me/plan/{plan.public_id}?from=now").status_code == 404
    sign_in(cast.stranger).post(f"/me/plan/{plan.public_id}", data={"from": "now"})
    assert only(app, Subscription).person_id == cast.member.id


def test_a_manager_reads_the_trial_and_the_minimum_term_before_and_after(app, place, cast, sign_in):
    with app.app_context():
        plan = make_plan("Mi-temps", trial_cents=500, min_months=3).public_id
    manager, page = sign_in(cast.manager), f"/people/{cast.stranger.public_id}/membership"
    assert "10 demi-journées par mois, 1er mois 5,00 €, au moins 3 mois" in plain(manager.get(page))
    assert manager.post(f"{page}/plan", data={"plan": plan, "from": "now"}).status_code == 303
    said = "Le premier mois est un essai, à 5,00 €. Gardée ensuite, elle l’est au moins jusqu’à fin janvier 2027."
    assert said in plain(manager.get(page))


def test_a_sheet_says_what_a_month_in_part_and_a_trial_come_to(app, place, cast, sign_in):
    with app.app_context():
        plain_plan = make_plan(min_months=3, is_prorata=True, room_minutes=300).public_id
        trial = make_plan(trial_cents=2000, rollover_halfdays=4).public_id
        for_team, for_members = make_plan("Équipe", taken_by="team"), make_plan("Adhérents", taken_by="adherents")
    browser = sign_in(cast.stranger)
    said = plain(browser.get(f"/me/plan/{plain_plan}?from=now"))
    assert "Du 24 novembre au 30 novembre 2026 : 3 demi-journées, 1 h 10 de salle. <b>14,00 €</b>" in said
    assert "Ensuite 60,00 € chaque mois" in said and "Prise au moins jusqu’à fin janvier 2027." in said
    said = plain(browser.get(f"/me/plan/{trial}?from=now"))
    assert "20,00 € pour le mois d’essai, novembre 2026. Vous pouvez arrêter pendant ce mois." in said
    assert "Jusqu’à 4 demi-journées non utilisées passent au mois suivant." in said
    offered = plain(browser.get("/me/plan"))
    assert for_team.name not in offered and "Cette formule est réservée aux adhérents." in offered
    assert browser.get(f"/me/plan/{for_members.public_id}?from=now").status_code == 403
    browser.post(f"/me/plan/{plain_plan}", data={"from": "now", "agreed": "1400"})
    held = plain(browser.get("/me/plan"))
    assert "Mettre fin à cette formule à la fin de janvier 2027" in held or "janvier 2027" in held
    manager = sign_in(cast.manager)
    page = plain(manager.get(f"/people/{cast.stranger.public_id}/membership"))
    assert "Lever l’engagement : mettre fin à la fin de novembre 2026" in page
    assert "Donnée par l’équipe seulement." in plain(manager.get("/settings/plans"))


def test_what_a_plan_does_not_count_cannot_go_over(app, place, cast, sign_in):
    typed = {"name": "Libre", "monthly": "190", "rollover_halfdays": "4", "min_months": "1"}
    refused = sign_in(cast.manager).post("/settings/plans/new", data=typed)
    assert refused.status_code == 422 and "Seul ce qui est compté peut passer au mois suivant." in refused.text
    with app.app_context():
        assert queries.plans() == []


def test_a_plan_does_not_end_before_what_is_booked_on_it(app, place, cast, sign_in):
    from coworking.booking import services

    with app.app_context():
        make_tariff()
        held = make_subscription(cast.member).public_id
        services.book_half_days(cast.member.actor(), date(2026, 12, 3), frozenset({"am"}))
    browser = sign_in(cast.member)
    assert "jeudi 3 décembre" in browser.post(f"/me/subscriptions/{held}/end", follow_redirects=True).text
    assert only(app, Subscription).last_month is None


def test_managers_subscribe_and_record_adhesions_for_others_and_it_is_traced(app, place, cast, sign_in):
    with app.app_context():
        plan = make_plan().public_id
    browser, page = sign_in(cast.manager), f"/people/{cast.stranger.public_id}/membership"
    browser.post(f"{page}/plan", data={"plan": plan, "from": "next"})
    browser.post(f"{page}/adhesion", data={"valid_from": "2026-11-24", "cents": "20"})
    again = browser.post(f"{page}/adhesion", data={"valid_from": "2027-01-01", "cents": "20"})
    assert again.status_code == 409
    assert only(app, Subscription).first_month == date(2026, 12, 1)
    assert only(app, Adhesion).valid_until == date(2027, 11, 23)
    assert {"subscription.begun", "adhesion.recorded"} <= audited(app)
    assert "Valable jusqu’au" in sign_in(cast.stranger).get("/me/plan").text
    assert sign_in(cast.host).get(page).status_code == 403


def test_a_taxable_place_is_asked_how_its_adhesion_is_taxed(app, place, cast, sign_in):
    with app.app_context():
        spaces.update_lieu(cast.manager.actor(), vat_status="taxable")
    browser, page = sign_in(cast.manager), f"/people/{cast.stranger.public_id}/membership"
    typed = {"valid_from": "2026-11-24", "cents": "20"}
    refused = browser.post(f"{page}/adhesion", data=typed)
    assert refused.status_code == 422 and "comment l’adhésion de ce lieu est taxée" in refused.text
    price = {"adhesion": "20"}
    assert browser.post("/settings/adhesion", data=price).status_code == 422
    assert browser.post("/settings/adhesion", data=price | {"adhesion_vat": "guess"}).status_code == 422
    taxed = price | {"adhesion_vat": "taxable", "adhesion_vat_rate": "20"}
    assert browser.post("/settings/adhesion", data=taxed | {"adhesion_vat_rate": "x"}).status_code == 422
    assert browser.post("/settings/adhesion", data=taxed).status_code == 303
    told = browser.post(f"{page}/adhesion", data=typed, follow_redirects=True)
    assert "Elle figurera sur la facture de novembre 2026" in told.text
    assert only(app, Adhesion).vat_rate_bp == 2000
    assert "Montant payé" not in browser.get(page).text


@pytest.mark.parametrize(
    ("first", "words"),
    [("2025-12-10", "bientôt le moment"), ("2025-06-01", "Terminée depuis"), ("2026-06-01", "Valable jusqu")],
)
def test_an_adhesion_says_quietly_when_it_ends(app, place, cast, sign_in, first, words):
    page = f"/people/{cast.member.public_id}/membership/adhesion"
    sign_in(cast.manager).post(page, data={"valid_from": first, "cents": "20"})
    assert words in sign_in(cast.member).get("/me/plan").text


def test_an_organisation_is_added_with_what_its_invoices_need(app, place, cast, sign_in):
    browser = sign_in(cast.manager)
    typed = {"name": "Mairie", "siren": "123456789", "email": "factures@demo.example", "city": "Thiers"}
    refused = browser.post("/organisations/new", data=typed)
    assert refused.status_code == 422
    assert 'value="123456789"' in refused.text
    made = browser.post("/organisations/new", data=typed | {"siren": "001 234 566"})
    assert made.status_code == 303
    assert "001234566" in browser.get(made.location).text
    taken = browser.post("/organisations/new", data={"name": "Mairie"})
    assert taken.status_code == 409
    assert "Mairie" in browser.get("/organisations?q=mair").text


def test_members_and_agreements_begin_and_end(app, place, cast, sign_in):
    with app.app_context():
        employer = db.session.scalars(select(Organisation.public_id)).one()
    browser, page = sign_in(cast.manager), f"/organisations/{employer}"
    browser.post(f"{page}/members", data={"person": "stranger@demo.example", "since": "2026-11-01"})
    assert browser.post(f"{page}/members", data={"person": "Vidal", "since": "2026-12-01"}).status_code == 409
    assert browser.post(f"{page}/members", data={"person": "Inconnue", "since": "2026-12-01"}).status_code == 422
    with app.app_context():
        joined = select(OrganisationMember.id).where(OrganisationMember.person_id == cast.stranger.id)
        member = db.session.scalars(joined).one()
    browser.post(f"{page}/members/{member}/end")
    agreed = {
        "valid_from": "2026-11-24",
        "weekdays": ["1", "3"],
        "halfdays": "8",
        "beyond": "refuse",
        "halfday": "7,50",
    }
    assert browser.post(f"{page}/agreements", data=agreed).status_code == 303
    made = only(app, Agreement)
    assert (made.weekdays, made.halfdays_per_month, made.beyond, made.halfday_cents) == (0b1010, 8, "refuse", 750)
    assert "mardi, jeudi" in browser.get(page).text
    assert browser.post(f"{page}/agreements/{made.public_id}/end", data={"last_day": "2026-12-31"}).status_code == 303
    assert only(app, Agreement).valid_until == date(2026, 12, 31)
    assert {"organisation.joined", "organisation.left", "agreement.made", "agreement.ended"} <= audited(app)


def test_the_list_of_organisations_costs_the_same_however_many(app, place, cast, sign_in, count_statements):
    browser = sign_in(cast.manager)
    with count_statements() as few:
        browser.get("/organisations")
    with app.app_context(), write_unit():
        db.session.add_all(Organisation(name=f"Atelier {n}") for n in range(40))
    with count_statements() as many:
        browser.get("/organisations")
    assert len(many) == len(few)


def test_the_public_page_shows_what_things_cost(app, place, client):
    with app.app_context():
        make_tariff(resources={place.rooms[1]: 600})
        make_plan()
    page = client.get("/lieu", headers={"Accept-Language": "fr"}).text
    for words in ("9,00\u00a0€", "15,00\u00a0€", "Cabine, l’heure", "Dix demi-journées"):
        assert words in page


def test_an_agreement_of_a_share_a_cap_and_any_days(app, place, cast, sign_in):
    with app.app_context():
        employer = db.session.scalars(select(Organisation.public_id)).one()
    browser, page = sign_in(cast.manager), f"/organisations/{employer}"
    agreed = {"valid_from": "2026-11-24", "beyond": "person", "cap_of": "organisation", "pays_rooms": "1"}
    for wrong in (
        {"cap": "0"},
        {"cap": "-3"},
        {"share": "101"},
        {"share": "0"},
        {"days_per_week": "7"},
        {"cap": "3", "cap_of": "x"},
    ):
        refused = browser.post(f"{page}/agreements", data=agreed | wrong)
        assert refused.status_code == 422, wrong
        assert all(f'value="{value}"' in refused.text for name, value in wrong.items() if name != "cap_of"), "typed"
    limits = {"cap": "240", "share": "70", "days_per_week": "2"}
    assert browser.post(f"{page}/agreements", data=agreed | limits).status_code == 303
    made = only(app, Agreement)
    assert (made.cap_cents, made.cap_of, made.share_bp, made.days_per_week) == (24000, "organisation", 7000, 2)
    assert (made.pays_rooms, made.weekdays, made.halfdays_per_month) == (True, None, None)
    said = " ".join(browser.get(page).text.split()).replace("\u202f", " ").replace("\u00a0", " ")
    assert "240,00 € par mois pour toutes ses personnes ensemble" in said
    assert "2 par semaine et par personne" in said


def test_a_cap_of_nobody_is_no_cap(app, place, cast, sign_in):
    with app.app_context():
        employer = db.session.scalars(select(Organisation.public_id)).one()
    agreed = {"valid_from": "2026-11-24", "beyond": "person", "cap_of": "organisation", "share": "100"}
    assert sign_in(cast.manager).post(f"/organisations/{employer}/agreements", data=agreed).status_code == 303
    made = only(app, Agreement)
    assert (made.cap_cents, made.cap_of, made.share_bp, made.pays_rooms) == (None, None, None, False)


def test_ending_an_agreement_says_what_stays_paid(app, place, cast, sign_in):
    from coworking.booking import services

    with app.app_context():
        make_tariff()
        agreement = make_agreement().public_id
        employer = db.session.scalars(select(Organisation.public_id)).one()
        services.book_half_days(cast.member.actor(), date(2026, 12, 3), frozenset({"am"}))
    page = sign_in(cast.manager).post(
        f"/organisations/{employer}/agreements/{agreement}/end",
        data={"last_day": "2026-11-30"},
        follow_redirects=True,
    )
    assert "1 demi-journée déjà réservée après reste payée" in page.text
