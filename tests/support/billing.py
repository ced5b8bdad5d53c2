"""A lieu that can invoice, and things that were used there in October 2026."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.billing import queries
from coworking.billing.models import BillingSettings
from coworking.booking.models import Booking, BookingUnit
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Agreement
from coworking.pricing.models import Quote
from tests import factories
from tests.support.remembered import remembered

OCTOBER = date(2026, 10, 1)
NOVEMBER = date(2026, 11, 1)
TODAY = date(2026, 11, 24)
"""What the tests' clock says, and so the day of issue."""


@dataclass
class BillingLieu:
    """The lieu, its people, and how something comes to be used."""

    place: factories.Place
    cast: factories.Cast
    employer: Organisation
    agreement_id: int
    use: Callable[..., Quote]

    @property
    def manager(self) -> Any:
        return self.cast.manager.actor()


def use(
    place: factories.Place,
    person: Person,
    day: date,
    *,
    cents: int = 900,
    agreement_id: int | None = None,
    organisation_id: int | None = None,
    state: str = "live",
    hours: int | None = None,
    vat_rate_bp: int = 2000,
    basis: str = "ttc",
) -> Quote:
    """One frozen quote: a half-day at a desk, or ``hours`` of the room."""
    start = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    minutes = 240 if hours is None else hours * 60
    with write_unit():
        quote = Quote(
            person_id=person.id,
            payer_person_id=None if organisation_id else person.id,
            payer_organisation_id=organisation_id,
            cover="agreement" if organisation_id else "tariff" if cents else "free",
            agreement_id=agreement_id,
            resource_id=(place.desks if hours is None else place.rooms)[0].id,
            day=day,
            half="am" if hours is None else None,
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            unit="half_day" if hours is None else "hour",
            minutes=minutes,
            unit_cents=cents,
            amount_cents=cents * (hours or 1),
            basis=basis,
            vat_rate_bp=vat_rate_bp,
            state=state,
            released_at=start if state == "released" else None,
        )
        db.session.add(quote)
    return quote


def book(quote: Quote, outcome: str) -> None:
    """The booked half-day that ``quote`` is for, and what became of it."""
    when = {"day": quote.day, "starts_at": quote.starts_at, "ends_at": quote.ends_at}
    decided = {} if outcome == "pending" else {"evidence": "host", "decided_at": quote.ends_at}
    with write_unit():
        booking = Booking(person_id=quote.person_id, **when)
        booking.units = [
            BookingUnit(
                resource_id=quote.resource_id, quote_id=quote.id, half=quote.half, outcome=outcome, **when, **decided
            )
        ]
        db.session.add(booking)


def make_billing_lieu(**lieu: Any) -> BillingLieu:
    """Inside an application context: a taxable lieu by default, and an employer that pays for Anne and Karim."""
    place = factories.make_place(**({"vat_status": "taxable", "siret": "12345678900011"} | lieu))
    cast = factories.make_cast()
    agreement = factories.make_agreement()
    with write_unit():
        db.session.add(BillingSettings(id=1, vat_number="FR00123456789", vat_on_debits=False))
        employer = db.session.scalars(select(Organisation)).one()
        employer.email, employer.siren = "compta@durand.example", "987654321"
        employer.address, employer.postcode, employer.city = "12 avenue de la Gare", "63000", "Clermont-Ferrand"
        db.session.execute(
            update(OrganisationMember).where(OrganisationMember.person_id == cast.colleague.id).values(is_contact=True)
        )
    return _billing_lieu(place, cast, agreement.id)


def _billing_lieu(place: factories.Place, cast: factories.Cast, agreement_id: int) -> BillingLieu:
    employer = db.session.scalars(select(Organisation)).one()
    return BillingLieu(place, cast, employer, agreement_id, lambda *args, **values: use(place, *args, **values))


def settled(made: BillingLieu) -> None:
    """Let the rows outlive the session, read to the last column."""
    everyone = [getattr(made.cast, name) for name in factories.Cast.__slots__]
    for row in (*everyone, made.employer, made.place.lieu, *made.place.desks, *made.place.rooms):
        db.session.refresh(row)
    db.session.expunge_all()


def lieu_used_in_october() -> BillingLieu:
    """Inside an application context: Lise used four half-days and the room, Anne's employer pays three of hers."""
    remembered("lieu used in october", _use_in_october)
    db.session.expire_all()
    agreement_id = db.session.scalars(select(Agreement.id)).one()
    made = _billing_lieu(factories.the_place(), factories.the_cast(), agreement_id)
    settled(made)
    return made


def _use_in_october() -> None:
    made = make_billing_lieu()
    for day in (1, 5, 8, 12):
        made.use(made.cast.stranger, date(2026, 10, day))
    made.use(made.cast.stranger, date(2026, 10, 14), cents=1500, hours=2)
    paid = {"agreement_id": made.agreement_id, "organisation_id": made.employer.id}
    for day in (6, 13):
        made.use(made.cast.member, date(2026, 10, day), **paid)
    made.use(made.cast.colleague, date(2026, 10, 13), **paid)
    made.use(made.cast.member, date(2026, 10, 20))  # a day of her own


def standing(billing_lieu, invoice):
    return queries.standing_for(billing_lieu.manager, invoice.public_id)
