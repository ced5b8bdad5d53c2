"""Two records of one person, and making them one."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from coworking.accounts import merging, twin_queries
from coworking.accounts.models import Person
from coworking.billing import paying
from coworking.billing import services as billing
from coworking.billing.models import Invoice
from coworking.core.db import db
from tests import factories
from tests.support.billing import OCTOBER, TODAY, BillingLieu, book


def two_records(lieu: BillingLieu) -> tuple[Person, Person]:
    """Odette as the host wrote her down (here in October, invoiced and paid), and as she signed up."""
    factories.make_tariff()
    old = factories.make_person("Odette", "Faure", None, phone="06 12 34 56 78", staff_note="Préfère la fenêtre")
    new = factories.make_person("odette", "FAURE", "odette@demo.example")
    book(lieu.use(old, OCTOBER + timedelta(days=4)), "came")
    billing.run(lieu.manager, OCTOBER)
    (invoice,) = db.session.scalars(select(Invoice).where(Invoice.payer_person_id == old.id))
    paying.record_payment(lieu.manager, invoice.public_id, invoice.payable_cents, TODAY, "cash", None)
    return again(old), again(new)


def again(person: Person) -> Person:
    """The same record as it stands now."""
    return db.session.scalars(select(Person).where(Person.id == person.id)).unique().one()


def seen_of(kept: Person, gone: Person) -> str:
    """What the page would send of both."""
    return twin_queries.pair_digest(again(kept), again(gone))


def make_one(lieu: BillingLieu, kept: Person, gone: Person, *chosen: str, seen: str | None = None) -> Person:
    """Let ``gone`` go into ``kept`` as the lieu's manager."""
    return merging.merge(lieu.manager, kept.public_id, gone.public_id, chosen, seen=seen or seen_of(kept, gone))
