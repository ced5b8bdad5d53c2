"""Gathering what is to be invoiced: from what was used, subscribed and joined, and what a manager adds or waives.

Gathering twice finds nothing new: (source, source_id, month) is unique in the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload

from coworking.billing import queries, rules
from coworking.billing.models import Charge
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.months import month_after, month_end, month_of
from coworking.core.policy import Actor, Role
from coworking.core.sql import insert_missing
from coworking.core.timespan import local_day
from coworking.core.types import public_id
from coworking.core.units import locked, write_unit
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
    """Make the charges of ``month`` that are still missing; how many were new. Raises `MonthToCome`.

    What was used on its days that are over (or given back too late), adhesions, the subscriptions' first month and, once
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
        yield _row(
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
            yield _row(
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
        yield _row(
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


def _row(**values: Any) -> dict[str, Any]:
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


# By hand --------------------------------------------------------------------------------------------------------------


def add_line(
    actor: Actor,
    payer: str,
    label: str,
    *,
    quantity: int,
    unit_cents: int,
    vat_rate_bp: int,
    basis: str,
    month: date,
    nonce: int,
) -> bool:
    """Add a free line for ``payer`` (a value of `queries.payers`), to be invoiced with ``month``; audited.

    ``nonce`` names this intention: the same form sent twice adds one line, and the second answer is False.
    """
    check_manager(actor)
    rules.check_month(month, spaces.today())
    with write_unit():
        person_id, organisation_id = queries.payer_ids(payer)
        row = _row(
            payer_person_id=person_id,
            payer_organisation_id=organisation_id,
            person_id=person_id,
            source="line",
            source_id=nonce,
            family="other",
            month=month,
            due_month=month,
            label=rules.check_label(label),
            quantity=quantity,
            unit="piece",
            unit_cents=unit_cents,
            amount_cents=quantity * unit_cents,
            basis=basis,
            vat_rate_bp=vat_rate_bp,
            created_by_id=actor.person_id,
        )
        added = insert_missing(Charge, [row]) == 1
        if added:
            charge_id = db.session.scalars(select(Charge.id).where(Charge.public_id == row["public_id"])).one()
            audit.record(
                actor,
                "billing.line_added",
                ("charge", charge_id),
                person_id=person_id,
                cents=quantity * unit_cents,
            )
        return added


def _to_change(public: str) -> Charge:
    """The charge under a lock; raises `NotFound`, `AlreadyInvoiced`."""
    row_id = queries.charge_by_public_id(public).id
    charge = db.session.scalars(locked(select(Charge).where(Charge.id == row_id))).one_or_none()
    if charge is None or charge.invoice_id is not None:
        raise rules.AlreadyInvoiced()
    return charge


def remove_line(actor: Actor, public: str) -> None:
    """Take away a line added by hand, until it is invoiced; audited.

    Raises `NotALine`, `AlreadyInvoiced`, `AlreadyWaived`.
    """
    check_manager(actor)
    with write_unit():
        charge = _to_change(public)
        if charge.source != "line":
            raise rules.NotALine()
        if _waiver_of(charge) is not None:
            raise rules.AlreadyWaived()
        audit.record(
            actor,
            "billing.line_removed",
            ("charge", charge.id),
            person_id=charge.payer_person_id,
            cents=charge.amount_cents,
        )
        db.session.delete(charge)


def waive(actor: Actor, public: str, reason: str) -> Charge:
    """Let a charge that is not invoiced yet come to nothing, by an entry that reverses it; audited with its reason."""
    check_manager(actor)
    why = rules.check_reason(reason)
    with write_unit():
        charge = _to_change(public)
        if charge.source == "waiver" or _waiver_of(charge) is not None:
            raise rules.AlreadyWaived()
        waiver = Charge(
            payer_person_id=charge.payer_person_id,
            payer_organisation_id=charge.payer_organisation_id,
            person_id=charge.person_id,
            source="waiver",
            source_id=charge.id,
            family=charge.family,
            month=charge.month,
            due_month=charge.due_month,
            day=charge.day,
            label=charge.label,
            quantity=charge.quantity,
            unit=charge.unit,
            unit_cents=charge.unit_cents,
            amount_cents=-charge.amount_cents,
            basis=charge.basis,
            vat_rate_bp=charge.vat_rate_bp,
            created_by_id=actor.person_id,
        )
        db.session.add(waiver)
        audit.record(
            actor,
            "billing.waived",
            ("charge", charge.id),
            person_id=charge.payer_person_id,
            cents=charge.amount_cents,
            reason=why,
        )
        return waiver


def _waiver_of(charge: Charge) -> int | None:
    return db.session.scalar(select(Charge.id).where(Charge.source == "waiver", Charge.source_id == charge.id))
