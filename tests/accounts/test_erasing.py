"""Erasing an account: what must be done first, what goes, what stays, and that nobody brings it back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from coworking.accounts import erasing, services, staff
from coworking.accounts.models import Device, EmailChange, OrganisationMember, Person
from coworking.billing import paying
from coworking.billing import services as billing
from coworking.billing.models import Invoice
from coworking.billing.queries import content
from coworking.booking import services as booking
from coworking.booking.models import Booking
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Role
from coworking.core.units import write_unit
from coworking.membership.models import Subscription
from tests import factories
from tests.support.billing import OCTOBER, TODAY

AM = frozenset({"am"})


@pytest.fixture
def lieu(inside, billing_lieu):
    return billing_lieu


def person_of(row: Person) -> Person:
    return db.session.get_one(Person, row.id, populate_existing=True)


def pay_everything(lieu, person: Person) -> None:
    """What they used is invoiced and paid."""
    billing.run(lieu.manager, OCTOBER)
    for invoice in db.session.scalars(select(Invoice).where(Invoice.payer_person_id == person.id)).all():
        paying.record_payment(lieu.manager, invoice.public_id, invoice.payable_cents, TODAY, "transfer")


def first_of(error: pytest.ExceptionInfo[erasing.SomethingFirst]) -> str:
    return " ".join(one.words for one in error.value.found).replace("\u202f", " ").replace("\xa0", " ")


def test_who_owes_pays_first_and_nothing_changed(lieu):
    person = lieu.cast.stranger
    with pytest.raises(erasing.SomethingFirst) as refused:
        erasing.erase(person.actor(), person.public_id)
    assert "pas encore facturé" in first_of(refused)
    billing.run(lieu.manager, OCTOBER)
    with pytest.raises(erasing.SomethingFirst) as refused:
        erasing.erase(person.actor(), person.public_id)
    assert "66,00 €" in first_of(refused)
    assert person_of(person).is_active and person_of(person).email == "stranger@demo.example"


def test_the_last_manager_cannot_leave(lieu):
    with pytest.raises(erasing.SomethingFirst) as refused:
        erasing.erase(lieu.manager, lieu.cast.manager.public_id)
    assert "dernier gestionnaire" in first_of(refused)


def test_a_plan_that_runs_is_ended_first(lieu):
    person = lieu.cast.host
    factories.make_subscription(person)
    with pytest.raises(erasing.SomethingFirst) as refused:
        erasing.erase(person.actor(), person.public_id)
    assert "de mois en mois" in first_of(refused)
    with write_unit():
        row = db.session.scalars(select(Subscription).where(Subscription.person_id == person.id)).one()
        row.last_month = row.first_month = OCTOBER
    erasing.erase(person.actor(), person.public_id)


def test_a_plan_that_never_counted_stands_in_nobodys_way(lieu):
    """Cancelled in time, withdrawn from, or a change or a pause that was undone: nothing runs on."""
    person = lieu.cast.host
    taken = factories.make_subscription(person)
    with write_unit():
        db.session.get_one(Subscription, taken.id).withdrawn_at = now()
    erasing.erase(person.actor(), person.public_id)
    assert person_of(person).erased_at is not None


def test_what_is_known_goes_and_invoices_stay(lieu, run_outbox):
    person = lieu.cast.stranger
    pay_everything(lieu, person)
    run_outbox()
    booking.book_half_days(person.actor(), TODAY + timedelta(days=1), AM)
    erasing.erase(person.actor(), person.public_id)
    run_outbox()
    row = person_of(person)
    assert (row.name, row.email, row.phone, row.password_hash) == (f"Personne effacée {person.id}", None, None, None)
    assert not row.is_active and row.roles == {Role.MEMBER}
    for model in (Device, EmailChange):
        assert db.session.scalar(select(func.count()).where(model.person_id == person.id)) == 0
    assert set(
        db.session.scalars(select(Booking.status).where(Booking.person_id == person.id, Booking.day > TODAY))
    ) == {"cancelled"}
    invoice = db.session.scalars(select(Invoice).where(Invoice.payer_person_id == person.id)).first()
    assert content(invoice)["buyer"]["name"] == "Lise Vidal", "as it was issued"
    kept = db.session.scalars(select(outbox.OutboxRow.payload)).all()
    assert "stranger@demo.example" not in str(kept)


def test_what_was_sent_to_them_goes_and_what_was_sent_to_others_stays(lieu):
    """E-mails and receipts name their reader's address; the one before a change of address too."""
    person = lieu.cast.host
    with write_unit():
        for key, payload in (
            ("now", {"to": "host@demo.example"}),
            ("receipt", {"email": "host@demo.example"}),
            ("before", {"to": "old@demo.example"}),
            ("other", {"to": "member@demo.example"}),
        ):
            outbox.enqueue("mail", key, payload)
        db.session.add(
            EmailChange(person_id=person.id, old_email="old@demo.example", new_email="host@demo.example", ends_at=now())
        )
    erasing.erase(person.actor(), person.public_id)
    keys = set(db.session.scalars(select(outbox.OutboxRow.key)))
    assert "other" in keys and not keys & {"now", "receipt", "before"}


def test_it_is_done_once_and_nobody_brings_it_back(lieu):
    person = lieu.cast.colleague
    billing.run(lieu.manager, OCTOBER)
    pay_everything(lieu, person)
    erasing.erase(lieu.manager, person.public_id)
    erased = person_of(person).erased_at
    erasing.erase(lieu.manager, person.public_id)
    assert person_of(person).erased_at == erased
    with pytest.raises(NotFound):
        staff.reactivate(lieu.manager, person.public_id)
    with pytest.raises(IntegrityError), write_unit():
        db.session.execute(update(Person).where(Person.id == person.id).values(email="back@demo.example"))
    left = db.session.scalars(select(OrganisationMember).where(OrganisationMember.person_id == person.id)).one()
    assert left.until == TODAY and not left.is_contact


def test_what_is_sent_about_who_was_erased_changes_nothing(app, billing_lieu, sign_in):
    """A page that was open meanwhile still has its forms."""
    manager, who = sign_in(billing_lieu.cast.manager), billing_lieu.cast.host
    with app.app_context():
        erasing.erase(billing_lieu.manager, who.public_id)
    for address, typed in (
        ("", {"first_name": "Chloé", "email": "host@demo.example", "note": "de retour"}),
        ("/address", {"address": "1 rue du Pont", "postcode": "63300", "city": "Thiers"}),
        ("/roles", {"roles": "host"}),
        ("/invite", {}),
        ("/reactivate", {}),
        ("/erase", {"understood": "1"}),
    ):
        assert manager.post(f"/people/{who.public_id}{address}", data=typed).status_code == 404, address
    with app.app_context():
        assert person_of(who).name == f"Personne effacée {who.id}" and not person_of(who).is_active
    assert "Personne effacée" in manager.get(f"/people/{who.public_id}").text
    assert "Personne effacée" in manager.get(f"/people/{who.public_id}/story").text


def test_hosts_and_members_erase_nobody_else(lieu):
    for who in ("host", "member", "accountant"):
        with pytest.raises(Forbidden):
            erasing.erase(getattr(lieu.cast, who).actor(), lieu.cast.stranger.public_id)
    assert person_of(lieu.cast.stranger).erased_at is None


def test_the_page_says_it_all_and_asks_once_more(app, billing_lieu, sign_in):
    member = billing_lieu.cast.host
    browser = sign_in(member)
    page = browser.get("/me/erase").text
    assert "Factures et paiements, dix ans" in page and "Personne effacée 12" in page
    answer = browser.post("/me/erase", data={})
    assert answer.status_code == 422 and answer.text.count("Cochez la case") == 1
    answer = browser.post("/me/erase", data={"understood": "1"})
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Votre compte est effacé" in browser.get("/", follow_redirects=True).text
    assert browser.get("/me").status_code in {302, 401}
    owing = sign_in(billing_lieu.cast.stranger)
    assert "pas encore facturé" in owing.get("/me/erase").text
    assert owing.post("/me/erase", data={"understood": "1"}).status_code == 409


def test_what_is_left_of_a_pack_is_named_with_the_way_to_get_it_back(app, billing_lieu, sign_in):
    with app.app_context():
        factories.make_pack(billing_lieu.cast.host, units=7)
    page = sign_in(billing_lieu.cast.host).get("/me/erase").text
    assert "7 demi-journées" in page and 'href="/me/plan"' in page
    page = sign_in(billing_lieu.cast.manager).get(f"/people/{billing_lieu.cast.host.public_id}/erase").text
    assert "7 demi-journées" in page and 'href="/me/plan"' not in page.split("<main", 1)[1].split("</main", 1)[0]


def test_the_same_address_can_begin_anew(lieu):
    person = lieu.cast.host
    erasing.erase(person.actor(), person.public_id)
    services.sign_up(
        first_name="Chloé", last_name="Roche", email="host@demo.example", password="encore une phrase", address=None
    )
    assert db.session.scalar(select(func.count()).where(Person.email == "host@demo.example")) == 1
