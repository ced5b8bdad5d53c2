"""Gathering what is to be invoiced: from what was used, subscribed and joined.

Gathering twice finds nothing new: (source, source_id, month) is unique in the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload

from coworking.billing import rules
from coworking.billing.models import Charge
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.months import month_after, month_end, month_of
from coworking.core.policy import Actor, Role
from coworking.core.sql import insert_missing
from coworking.core.timespan import local_day
from coworking.core.types import public_id
from coworking.core.units import write_unit
from coworking.membership.models import Adhesion, Subscription
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces

DESK_LABEL, ADHESION_LABEL = "Poste de travail, demi-journée", "Adhésion annuelle"
_PLACES = {"desk": "Poste", "room": "Salle", "office": "Bureau"}


def check_manager(actor: Actor) -> None:
    """Raise `Forbidden` unless ``actor`` runs the place: money is written by managers only."""
    if not actor.has(Role.MANAGER):
        raise Forbidden()


def gather(month: date) -> int:
    """Make the charges of ``month`` that are still missing; how many were new. Raises `InvoicedMonthToCome`.

    What was used on its days that are over (or cancelled too late), adhesions, the subscriptions' first month and, once
    the month is over, their next one.
    """
    rules.check_month(month, spaces.today())
    return _gather(month)


def gather_recent(month: date | None = None, *, back: int = 1) -> int:
    """The same for a month (by default this one) and so many before: what was written down late is not forgotten."""
    if spaces.lieu_or_none() is None:
        return 0
    last = month or month_of(spaces.today())
    return _gather(*(month_after(last, -count) for count in range(back, -1, -1)))


def _gather(*months: date) -> int:
    today = spaces.today()
    with write_unit():
        rows = [
            row for month in months for row in (*_uses(month, today), *_subscriptions(month, today), *_adhesions(month))
        ]
        return insert_missing(Charge, rows)


def _missing(source: str, row_id: Any, *conditions: Any) -> Any:
    return ~select(Charge.id).where(Charge.source == source, Charge.source_id == row_id, *conditions).exists()


def _uses(month: date, today: date) -> Iterator[dict[str, Any]]:
    quotes = db.session.scalars(
        select(Quote)
        .options(joinedload(Quote.resource))
        .where(
            Quote.day >= month,
            Quote.day < min(month_after(month), today),
            Quote.state.in_(("live", "kept")),
            Quote.amount_cents > 0,
            _missing("quote", Quote.id),
        )
        .order_by(Quote.day, Quote.id)
    )
    for quote in quotes:
        name = quote.resource.name
        place = _PLACES[quote.resource.kind]
        label = DESK_LABEL if quote.unit == "half_day" else f"{place} {name}, heure"
        yield charge_values(
            payer_person_id=quote.payer_person_id,
            payer_organisation_id=quote.payer_organisation_id,
            person_id=quote.person_id,
            source="quote",
            source_id=quote.id,
            family="desk" if quote.unit == "half_day" else "room",
            month=month,
            due_month=month,
            day=quote.day,
            label=label,
            quantity=1 if quote.unit == "half_day" else quote.minutes,
            unit=quote.unit,
            unit_cents=quote.unit_cents,
            amount_cents=quote.amount_cents,
            basis=quote.basis,
            vat_rate_bp=quote.vat_rate_bp,
        )


def _subscriptions(month: date, today: date) -> Iterator[dict[str, Any]]:
    following = month_after(month)
    found = db.session.scalars(
        select(Subscription)
        .where(
            Subscription.first_month <= following,
            or_(Subscription.last_month.is_(None), Subscription.last_month >= month),
            Subscription.monthly_cents > 0,
        )
        .order_by(Subscription.id)
    ).all()
    if not found:
        return
    charged = {
        (source_id, use)
        for source_id, use in db.session.execute(
            select(Charge.source_id, Charge.month).where(
                Charge.source == "subscription", Charge.month.in_((month, following))
            )
        )
    }
    for row in found:
        months = rules.subscription_months(row.first_month, row.last_month, month, month_is_over=following <= today)
        for use, due in months:
            if (row.id, use) in charged:
                continue
            yield charge_values(
                payer_person_id=row.person_id,
                person_id=row.person_id,
                source="subscription",
                source_id=row.id,
                family="subscription",
                month=use,
                due_month=due,
                label=row.name,
                unit="month",
                unit_cents=row.monthly_cents,
                amount_cents=row.monthly_cents,
                basis=row.basis,
                vat_rate_bp=row.vat_rate_bp,
            )


def _adhesions(month: date) -> Iterator[dict[str, Any]]:
    """Adhesions are outside VAT. One written down after its first day is billed with the month it was written in."""
    zone = spaces.lieu().tz
    first, last = month, month_end(month)
    starts, ends = local_day(first, zone).start, local_day(last, zone).end
    begins_now = and_(Adhesion.valid_from.between(first, last), Adhesion.created_at < ends)
    written_now = and_(Adhesion.valid_from < first, Adhesion.created_at >= starts, Adhesion.created_at < ends)
    found = db.session.scalars(
        select(Adhesion)
        .where(Adhesion.cents > 0, or_(begins_now, written_now), _missing("adhesion", Adhesion.id))
        .order_by(Adhesion.id)
    )
    for row in found:
        yield charge_values(
            payer_person_id=row.person_id,
            person_id=row.person_id,
            source="adhesion",
            source_id=row.id,
            family="adhesion",
            month=month,
            due_month=month,
            day=row.valid_from,
            label=ADHESION_LABEL,
            unit="year",
            unit_cents=row.cents,
            amount_cents=row.cents,
            basis="ttc",
            vat_rate_bp=0,
        )


def charge_values(**values: Any) -> dict[str, Any]:
    """The columns of a new charge: ``values``, and what is usual for the others."""
    usual = {
        "public_id": public_id(),
        "payer_person_id": None,
        "payer_organisation_id": None,
        "quantity": 1,
        "day": None,
        "created_at": now(),
        "created_by_id": None,
        "invoice_id": None,
    }
    return usual | values
