"""The demo's months are invoiced on the second of the next one; most are paid, a few are not, one was wrong."""

from __future__ import annotations

import random
from datetime import date, timedelta

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.billing import paying, queries, services
from coworking.billing.models import Invoice
from coworking.core.db import db
from coworking.core.months import month_after, month_of
from coworking.core.policy import Actor
from coworking.demo.payouts import IBAN, StripeAccount
from coworking.spaces import services as spaces

ISSUING_DAY = 2
PAYING_DAYS = (9, 16, 27)
"""When the bank statement is read: consumers pay soon, employers near their thirty days."""
FORGETFUL = 0.03
PAY_THEMSELVES = ("member@demo.example", "stranger@demo.example")
"""Whoever signs in as one of these finds their newest invoice open, to be paid online; those of last month are paid."""
NEWEST = timedelta(days=31)


def prepare(manager: Actor) -> None:
    """What the PDFs say: numbers and bank details of nobody."""
    spaces.update_lieu(manager, siret="00098765100015")
    services.update_settings(manager, vat_number="FR00000987651", iban=IBAN, bic="AGRIFRPP", vat_on_debits=False)


def live(manager: Actor, day: date, first: date, stripe: StripeAccount) -> None:
    """What happens to invoices on ``day``; ``first`` began the demo's first month."""
    stripe.live(day)
    month = month_after(month_of(day), -1)
    if month < first:
        return
    if day.day == ISSUING_DAY:
        issued = services.run(manager, month).issued
        if issued and month == month_after(first):
            _mistake(manager, issued[0])
    if day.day in PAYING_DAYS:
        _read_statement(manager, day, stripe)


def _mistake(manager: Actor, invoice: Invoice) -> None:
    services.credit(manager, invoice.public_id, "Facture adressée par erreur", again=True)


def _read_statement(manager: Actor, day: date, stripe: StripeAccount) -> None:
    themselves = set(db.session.scalars(select(Person.id).where(Person.email.in_(PAY_THEMSELVES))))
    rows, _following = queries.documents(manager, queries.Filters(state="unpaid", sort="seq"), limit=None)
    for row in rows:
        draw = random.Random(f"{row.invoice.number}:{day.isoformat()}")
        if random.Random(row.invoice.number).random() < FORGETFUL:
            continue  # this one waits for a reminder
        if row.invoice.payer_person_id in themselves and row.invoice.issued_on > day - NEWEST:
            continue
        is_employer = row.invoice.payer_organisation_id is not None
        if (is_employer and day.day != PAYING_DAYS[-1]) or draw.random() < 0.2:
            continue
        method = "transfer" if is_employer else draw.choice(("transfer", "transfer", "card", "cheque"))
        if method == "card" and stripe.takes_cards(day):
            stripe.pay(row.invoice, row.open_cents)
        else:
            paying.record_payment(manager, row.invoice.public_id, row.open_cents, day, method)
