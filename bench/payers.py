"""People who owe: each with an invoice of this month, issued by the month's own run."""

from __future__ import annotations

from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.billing import services
from coworking.billing.models import BillingSettings, Charge, Invoice
from coworking.billing.queries import ISSUED
from coworking.core import outbox
from coworking.core.db import db
from coworking.core.months import month_of
from coworking.core.policy import SYSTEM
from coworking.core.units import end_read, write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.calendar import lock_lieu

AT_ONCE = 500


def invoiced(wanted: int) -> list[Invoice]:
    """The invoices of ``wanted`` new people, one each, of 9 to 49 €, in the order of their numbers.

    Their PDFs are neither drawn nor sent: that is not what is measured, and takes longer than what is.
    """
    _able_to_invoice()
    month = month_of(spaces.today())
    first = 1 + (db.session.scalar(select(func.max(Charge.source_id)).where(Charge.source == "line")) or 0)
    end_read()
    for start in range(0, wanted, AT_ONCE):
        with write_unit():
            numbers = range(first + start, first + min(start + AT_ONCE, wanted))
            people = [Person(first_name="Payeur", last_name=f"Numéro {number}") for number in numbers]
            db.session.add_all(people)
            db.session.flush()
            for number, person in zip(numbers, people, strict=True):
                db.session.add(
                    Charge(
                        payer_person_id=person.id,
                        person_id=person.id,
                        source="line",
                        source_id=number,
                        family="other",
                        month=month,
                        due_month=month,
                        label="Impressions",
                        quantity=1,
                        unit="piece",
                        unit_cents=(cents := 900 + number % 81 * 50),
                        amount_cents=cents,
                        basis="ttc",
                        vat_rate_bp=0,
                    )
                )
        # A run expires what it has loaded with every invoice: some hundred at a time, as a lieu has them.
        done = services.run(SYSTEM, month)
        assert len(done.issued) == len(people), done.problems[:3]
    with write_unit():
        outbox.drop(ISSUED)
    newest = select(Invoice).where(Invoice.kind == "invoice").order_by(Invoice.id.desc()).limit(wanted)
    return list(db.session.scalars(newest))[::-1]


def _able_to_invoice() -> None:
    with write_unit():
        lieu = lock_lieu()
        lieu.is_simulation, lieu.siret, lieu.vat_status = True, "12345678900011", "exempt"
        lieu.legal_status, lieu.address, lieu.postcode = "association", "1 rue du Pont", "63300"
        db.session.merge(BillingSettings(id=1, vat_on_debits=False, iban="FR7630006000011234567890189"))
