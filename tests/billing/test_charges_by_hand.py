"""A manager adds a line by hand, takes it away or waives a charge, until it is invoiced."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from coworking.billing import charges, manual_charges, rules, services
from coworking.billing.models import Charge
from coworking.core.audit import AuditEntry
from tests.support.billing import OCTOBER


def test_a_waived_charge_is_not_invoiced(billing_lieu, session):
    charges.gather(OCTOBER)
    own = session.scalars(select(Charge).where(Charge.payer_person_id == billing_lieu.cast.member.id)).one()
    waiver = manual_charges.waive(billing_lieu.manager, own.public_id, "Le chauffage était en panne")
    assert (waiver.source, waiver.amount_cents) == ("waiver", -900)
    with pytest.raises(rules.AlreadyWaived):
        manual_charges.waive(billing_lieu.manager, own.public_id, "Encore")
    done = services.run(billing_lieu.manager, OCTOBER)
    assert len(done.issued) == 2
    assert (
        session.scalars(select(AuditEntry).where(AuditEntry.action == "billing.waived")).one().details["cents"] == 900
    )


def test_lines_by_hand_are_added_once_and_taken_away_until_invoiced(billing_lieu, session):
    line = {
        "quantity": 4,
        "unit_cents": 250,
        "vat_rate_bp": 2000,
        "basis": "ttc",
        "month": OCTOBER,
    }
    payer = f"p:{billing_lieu.cast.member.public_id}"
    assert manual_charges.add_line(billing_lieu.manager, payer, "Café d’accueil", nonce=7, **line)
    assert not manual_charges.add_line(billing_lieu.manager, payer, "Café d’accueil", nonce=7, **line)
    manual_charges.add_line(billing_lieu.manager, payer, "Clé perdue", nonce=8, **line)
    lost = session.scalars(select(Charge).where(Charge.label == "Clé perdue")).one()
    manual_charges.remove_line(billing_lieu.manager, lost.public_id)
    done = services.run(billing_lieu.manager, OCTOBER)
    anne = next(row for row in done.issued if row.payer_person_id == billing_lieu.cast.member.id)
    assert anne.payable_cents == 900 + 1000
    kept = session.scalars(select(Charge).where(Charge.label == "Café d’accueil")).one()
    with pytest.raises(rules.AlreadyInvoiced):
        manual_charges.remove_line(billing_lieu.manager, kept.public_id)
    with pytest.raises(rules.AlreadyInvoiced):
        manual_charges.waive(billing_lieu.manager, kept.public_id, "Trop tard")


def test_charges_that_add_up_to_zero_are_carried_over(billing_lieu, session):
    line = {"quantity": 1, "vat_rate_bp": 0, "basis": "ttc", "month": OCTOBER}
    manual_charges.add_line(
        billing_lieu.manager, f"p:{billing_lieu.cast.lead.public_id}", "Offert", nonce=1, unit_cents=0, **line
    )
    done = services.run(billing_lieu.manager, OCTOBER)
    assert done.carried == ["Solène Vernet"]
    assert session.scalars(select(Charge.invoice_id).where(Charge.label == "Offert")).one() is None
