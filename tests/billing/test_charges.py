"""What was used, subscribed to or joined becomes a charge, once, in its month."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.accounting import journal
from coworking.accounts.models import Person
from coworking.billing import charges, queries, rules, services
from coworking.billing.models import Charge
from coworking.billing.rules import AdhesionWithoutVat
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership import services as membership
from coworking.membership.models import Adhesion, MembershipSettings
from coworking.membership.rules import AdhesionVatUnknown
from tests import factories
from tests.support.billing import NOVEMBER, OCTOBER


def test_each_use_becomes_a_charge_once(billing_lieu, session):
    assert charges.gather(OCTOBER) == 9
    assert charges.gather(OCTOBER) == 0
    assert session.scalar(select(func.sum(Charge.amount_cents))) == 4 * 900 + 3000 + 3 * 900 + 900


def test_only_days_that_are_over_and_owed_are_charged(billing_lieu, session):
    stranger = billing_lieu.cast.stranger
    billing_lieu.use(stranger, date(2026, 11, 23))
    billing_lieu.use(stranger, date(2026, 11, 24))  # today
    billing_lieu.use(stranger, date(2026, 11, 20), state="kept")
    billing_lieu.use(stranger, date(2026, 11, 20), state="released")
    billing_lieu.use(stranger, date(2026, 11, 20), cents=0)
    assert charges.gather(NOVEMBER) == 2


def test_a_subscription_is_charged_its_first_month_then_in_advance(billing_lieu, session, clock):
    row = factories.make_subscription(billing_lieu.cast.stranger, first_month=NOVEMBER)
    charges.gather(NOVEMBER)
    found = select(Charge.month, Charge.due_month).where(Charge.source == "subscription").order_by(Charge.month)
    assert session.execute(found).all() == [(NOVEMBER, NOVEMBER)]
    clock.advance(days=10)
    charges.gather(NOVEMBER)
    assert session.execute(found).all() == [(NOVEMBER, NOVEMBER), (date(2026, 12, 1), NOVEMBER)]
    charges.gather(date(2026, 12, 1))
    assert len(session.execute(found).all()) == 2
    assert row.monthly_cents == 6000


def test_a_subscription_that_ended_is_not_charged_in_advance(billing_lieu, session, clock):
    factories.make_subscription(billing_lieu.cast.stranger, first_month=NOVEMBER, last_month=NOVEMBER)
    clock.advance(days=10)
    charges.gather(NOVEMBER)
    assert session.scalars(select(Charge.month).where(Charge.source == "subscription")).all() == [NOVEMBER]


def adhesion(billing_lieu, **values) -> None:
    year = {"valid_from": NOVEMBER, "valid_until": date(2027, 10, 31)}
    with write_unit():
        db.session.add(Adhesion(**({"person_id": billing_lieu.cast.stranger.id, "cents": 1200} | year | values)))


@pytest.mark.parametrize(("first", "month"), [(date(2026, 11, 3), NOVEMBER), (date(2026, 9, 1), NOVEMBER)])
def test_an_adhesion_is_charged_in_its_month_as_it_was_taxed(billing_lieu, session, first, month):
    adhesion(billing_lieu, valid_from=first, vat_rate_bp=0)
    charges.gather(OCTOBER)
    charges.gather(NOVEMBER)
    charge = session.scalars(select(Charge).where(Charge.source == "adhesion")).one()
    assert (charge.due_month, charge.amount_cents, charge.vat_rate_bp) == (month, 1200, 0)


def test_an_adhesion_of_a_taxable_lieu_waits_until_its_vat_is_set(billing_lieu, session):
    """It was recorded before this was asked."""
    adhesion(billing_lieu)
    charges.gather(NOVEMBER)
    assert charges.adhesions_without_vat() == 1
    assert session.scalar(select(func.count(Charge.id)).where(Charge.source == "adhesion")) == 0
    membership.set_adhesion_price(billing_lieu.manager, 1200, vat="taxable", vat_rate_bp=2000)
    charges.gather(NOVEMBER)
    assert charges.adhesions_without_vat() == 0
    (issued,) = (row for row in services.run(billing_lieu.manager, NOVEMBER).issued if row.payable_cents == 1200 + 6600)
    content = queries.content(issued)
    line = content["lines"][-1]
    assert (line["family"], line["amount_cents"], line["net_cents"], line["vat_rate_bp"]) == (
        "adhesion",
        1200,
        1000,
        2000,
    )
    assert not any("Cotisation" in note for note in content["notes"])
    assert sum(entry.credit for entry in journal.of_document(content) if entry.account == "756") == 1000


@pytest.mark.parametrize(
    ("vat", "words"), [("out_of_scope", "hors du champ"), ("exempt", "exonérée"), ("taxable", None), (None, None)]
)
def test_an_adhesion_charged_without_vat_is_invoiced_only_where_that_is_how_it_is_taxed(
    billing_lieu, session, vat, words
):
    adhesion(billing_lieu, vat_rate_bp=0)
    with write_unit():
        session.add(MembershipSettings(id=1, adhesion_cents=1200, adhesion_vat=vat))
    done = services.run(billing_lieu.manager, NOVEMBER)
    lise = [row for row in done.issued if row.payer_person_id == billing_lieu.cast.stranger.id]
    if words is None:
        assert lise == [] and [name for name, _why in done.problems] == ["Lise Vidal"]
        assert isinstance(done.problems[0][1], AdhesionWithoutVat if vat else AdhesionVatUnknown)
    else:
        assert any("Cotisation" in note and words in note for note in queries.content(lise[0])["notes"])


def test_labels_say_what_for_when_and_in_the_payers_language(billing_lieu, session):
    adhesion(billing_lieu, vat_rate_bp=0, valid_from=date(2026, 11, 3), valid_until=date(2027, 11, 2))
    factories.make_subscription(billing_lieu.cast.stranger, first_month=NOVEMBER)
    billing_lieu.use(billing_lieu.cast.stranger, date(2026, 11, 14), cents=1500, hours=2)
    billing_lieu.use(billing_lieu.cast.stranger, date(2026, 11, 14))
    labels_of = select(Charge.label).order_by(Charge.label)
    charges.gather(NOVEMBER)
    assert session.scalars(labels_of).all() == [
        "Abonnement Dix demi-journées, novembre 2026\u202f: 10 demi-journées de poste",
        "Adhésion annuelle, du 3 novembre 2026 au 2 novembre 2027",
        "Poste de travail, demi-journée",
        "Salle Durolle, à l’heure",
    ]


def test_an_english_reader_gets_english_labels_and_an_employer_french_ones(billing_lieu, session):
    with write_unit():
        for person in session.scalars(select(Person)).unique():
            person.locale = "en"
    charges.gather(OCTOBER)
    found = session.execute(select(Charge.payer_organisation_id.is_(None), Charge.label).distinct()).all()
    assert {label for own, label in found if own} == {"Desk, half-day", "Room Durolle, by the hour"}
    assert {label for own, label in found if not own} == {"Poste de travail, demi-journée"}


def test_a_month_to_come_is_refused(billing_lieu, inside):
    with pytest.raises(rules.InvoicedMonthToCome):
        charges.gather(date(2026, 12, 1))
    with pytest.raises(rules.InvoicedMonthToCome):
        services.run(billing_lieu.manager, date(2026, 12, 1))
