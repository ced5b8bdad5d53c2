"""Whom a change of prices concerns, read before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from coworking.core.db import db
from coworking.pricing.models import Quote
from coworking.pricing.queries import prices_on

LOOK_BACK = timedelta(days=90)
"""Who paid by the tariff within these days is likely to do so again."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """``booked``: half-days and rooms that are booked and keep their price. ``people``: who paid by the tariff in the last
    90 days, themselves. ``organisations``: the names of those that did."""

    booked: int
    people: int
    organisations: tuple[str, ...]


def concerned_by(valid_from: date, today: date) -> Concerned:
    """Whom new prices from ``valid_from`` on concern (2 statements)."""
    booked = db.session.scalar(
        select(func.count())
        .select_from(Quote)
        .where(Quote.day >= valid_from, Quote.state == "live", Quote.cover.in_(("tariff", "agreement")))
    )
    recent = db.session.scalars(
        select(Quote)
        .where(
            Quote.day.between(today - LOOK_BACK, today),
            Quote.state != "released",
            Quote.cover.in_(("tariff", "share", "agreement")),
        )
        .options(joinedload(Quote.payer_organisation), joinedload(Quote.resource))
    ).all()
    paid = [quote for quote in recent if quote.cover != "agreement" or _by_tariff(quote)]
    return Concerned(
        booked=booked or 0,
        people=len({quote.person_id for quote in paid if quote.payer_organisation is None}),
        organisations=tuple(
            sorted({quote.payer_organisation.name for quote in paid if quote.payer_organisation is not None})
        ),
    )


def _by_tariff(quote: Quote) -> bool:
    """Whether an employer paid what the tariff said, and not a price it had agreed to."""
    full = quote.unit_cents if quote.alone_cents is None else quote.alone_cents
    return full == prices_on(quote.day).price_of(quote.resource.kind, quote.resource_id)
