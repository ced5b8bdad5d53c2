"""Gather charges from used half-days and rooms, subscriptions, assigned places, packs and adhesions.

Gathering twice finds nothing new: (source, source_id, month) is unique in the database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import joinedload

from coworking.accounts.models import Person
from coworking.billing import given_up, labels, rules
from coworking.billing.models import Charge
from coworking.booking import day_rates
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.queries import every_quote_of, priced_by
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.months import month_after, month_end, month_of, months_between
from coworking.core.policy import Actor, Role
from coworking.core.sql import insert_missing
from coworking.core.timespan import local_day
from coworking.core.types import public_id
from coworking.core.units import write_unit
from coworking.membership.beginning import PlanTerms
from coworking.membership.models import STANDS, Adhesion, Pack, Subscription
from coworking.membership.plan_rules import month_price
from coworking.membership.queries import adhesion_vat_now
from coworking.pricing.group_queries import group_name, group_prices_on, members_on
from coworking.pricing.models import Quote, Sale
from coworking.pricing.rules import PricedLine, payable_cents
from coworking.residents.models import STANDS as PLACE_STANDS
from coworking.residents.models import Residency
from coworking.residents.rules import days_of, month_cents
from coworking.spaces import queries as spaces

day_rates.charged(given_up.is_charged())


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
        vat = adhesion_vat_now()
        rows = [
            row
            for month in months
            for row in (
                *_uses(month, today),
                *_subscriptions(month, today),
                *_assigned(month, today),
                *_adhesions(month, vat),
            )
        ]
        made = insert_missing(Charge, [*rows, *_packs(min(months), month_end(max(months)))])
        waive_given_up()
    return made


def waive_given_up() -> None:
    """Let what was charged and not invoiced yet for a use that was given up come to nothing, in the open unit."""
    if found := given_up.still_open():
        ids = [charge.id for charge in found]
        for discount in db.session.scalars(
            select(Charge).where(Charge.source == "discount", Charge.source_id.in_(ids))
        ):
            db.session.delete(discount)
        insert_missing(Charge, [waiver_values(charge) for charge in found])


def waiver_values(charge: Charge, created_by_id: int | None = None) -> dict[str, Any]:
    """The columns of the entry that reverses a charge."""
    same = (
        "payer_person_id", "payer_organisation_id", "person_id", "family", "month", "due_month", "day", "label", "quantity",
        "unit", "unit_cents", "basis", "vat_rate_bp", "account",
    )  # fmt: skip
    values = {name: getattr(charge, name) for name in same} | {"amount_cents": -charge.amount_cents}
    return charge_values(**values, source="waiver", source_id=charge.id, created_by_id=created_by_id)


def _missing(source: str, row_id: Any, *conditions: Any) -> Any:
    return ~select(Charge.id).where(Charge.source == source, Charge.source_id == row_id, *conditions).exists()


def _uses(month: date, today: date) -> Iterator[dict[str, Any]]:
    quotes = db.session.scalars(
        select(Quote)
        .options(joinedload(Quote.resource), joinedload(Quote.person), joinedload(Quote.price_group))
        .where(
            Quote.day >= month,
            Quote.day < min(month_after(month), today),
            Quote.ends_at <= now(),  # what goes over midnight can still be cancelled on its second day
            Quote.state.in_(("live", "kept")),
            Quote.amount_cents > 0,
            ~given_up.is_charged(),
            ~_sold_ahead,
        )
        .order_by(Quote.day, Quote.id)
    ).unique()
    for quote in quotes:
        yield quote_values(quote)


_sold_ahead = Quote.payer_person_id.is_not(None) & (
    select(BookingUnit.id).join(Booking).where(priced_by(Quote.id), Booking.sale_id.is_not(None)).exists()
)
"""The condition that a quote's person pays before it counts: it is never on a month's invoice."""


def quote_values(quote: Quote) -> dict[str, Any]:
    """The columns of the charge for what was quoted; its person and resource are read."""
    locale = labels.OFFICE_LANGUAGE if quote.payer_person_id is None else quote.person.locale
    month, (quantity, unit, unit_cents) = month_of(quote.day), quote.billed
    return charge_values(
        payer_person_id=quote.payer_person_id,
        payer_organisation_id=quote.payer_organisation_id,
        person_id=quote.person_id,
        source="quote",
        source_id=quote.id,
        family="desk" if quote.unit == "half_day" else "room",
        month=month,
        due_month=month,
        day=quote.day,
        label=labels.of_quote(quote, locale),
        quantity=quantity,
        unit=unit,
        unit_cents=unit_cents,
        amount_cents=quote.amount_cents,
        basis=quote.basis,
        vat_rate_bp=quote.vat_rate_bp,
    )


def charge_sold(kind: str, made_id: int, due_month: date) -> list[int]:
    """Charge what was sold before it counted, in the open unit; the charges' ids. Twice adds nothing."""
    match kind:
        case "booking":
            return _charge_booking(made_id, due_month)
        case "subscription":
            held = db.session.get_one(Subscription, made_id)
            values = _subscription_values(held, held.first_month, due_month)
        case "pack":
            values = _pack_values(db.session.get_one(Pack, made_id), due_month)
        case _:
            adhesion = db.session.get_one(Adhesion, made_id)
            locale = db.session.get_one(Person, adhesion.person_id).locale
            values = _adhesion_values(adhesion, locale, due_month, adhesion.vat_rate_bp or 0)
    insert_missing(Charge, [values])
    this = (Charge.source == kind, Charge.source_id == made_id, Charge.month == values["month"])
    return list(db.session.scalars(select(Charge.id).where(*this)))


def no_longer_owed(sale: Sale) -> int:
    """How many cents of a paid booking's sale its quotes do not ask for any more."""
    owed = db.session.scalars(
        select(Quote).where(
            Quote.id.in_(every_quote_of(sale.made_id)),
            Quote.payer_person_id.is_not(None),
            Quote.state.in_(("live", "kept")),
        )
    )
    lines = [PricedLine(row.amount_cents, row.vat_rate_bp, "ht" if row.basis == "ht" else "ttc") for row in owed]
    return sale.cents - payable_cents(lines)


def _charge_booking(booking_id: int, due_month: date) -> list[int]:
    quotes = (
        db.session.scalars(
            select(Quote)
            .options(joinedload(Quote.resource), joinedload(Quote.person), joinedload(Quote.price_group))
            .where(Quote.id.in_(every_quote_of(booking_id)), Quote.payer_person_id.is_not(None), Quote.amount_cents > 0)
            .order_by(Quote.id)
        )
        .unique()
        .all()
    )
    insert_missing(Charge, [quote_values(quote) | {"due_month": due_month} for quote in quotes])
    ids = [quote.id for quote in quotes]
    return list(
        db.session.scalars(
            select(Charge.id).where(Charge.source == "quote", Charge.source_id.in_(ids)).order_by(Charge.id)
        )
    )


def _subscriptions(month: date, today: date) -> Iterator[dict[str, Any]]:
    following = month_after(month)
    rows = db.session.scalars(
        select(Subscription)
        .options(joinedload(Subscription.person))
        .where(
            STANDS,
            Subscription.first_month <= following,
            or_(Subscription.last_month.is_(None), Subscription.last_month >= month),
            Subscription.monthly_cents > 0,
        )
        .order_by(Subscription.id)
    )
    found = rows.unique().all()
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
    belong = {use: members_on(use) for use in (month, following)}
    for row in found:
        months = rules.subscription_months(row.first_month, row.last_month, month, month_is_over=following <= today)
        for use, due in months:
            if (row.id, use) in charged:
                continue
            values = _subscription_values(row, use, due, belong[use].get(row.person_id, set()))
            if values["amount_cents"]:
                yield values


def plan_charges(row: Subscription) -> list[dict[str, Any]]:
    """The columns of what a plan is charged for each of its months until this one, whether it was written down or not."""
    this_month = month_of(spaces.today())
    months = months_between(row.first_month, min(row.last_month or this_month, this_month))
    due = [use if use == row.first_month else month_after(use, -1) for use in months]
    found = [
        _subscription_values(row, use, when, members_on(use).get(row.person_id, set()))
        for use, when in zip(months, due, strict=True)
    ]
    return [values for values in found if values["amount_cents"]]


def charge_plan(row: Subscription) -> None:
    """Write down what a plan is charged until this month, in the open unit; what stands there already stays."""
    insert_missing(Charge, plan_charges(row))


def _subscription_values(row: Subscription, use: date, due: date, group_ids: Collection[int] = ()) -> dict[str, Any]:
    """The columns of the charge for the month ``use`` of a plan; ``group_ids``: to which its person belongs on the first."""
    price = month_price(PlanTerms.held(row), use, group_prices_on(use, group_ids))
    locale, is_part = row.person.locale, use == row.first_month and row.begins_on is not None
    label = labels.subscription(
        row.name,
        use,
        row.first_halfdays if is_part else row.halfdays_per_month,
        locale,
        from_day=row.from_day,
        begins_on=row.begins_on if is_part else None,
        room_minutes=row.first_room_minutes if is_part else row.room_minutes,
        is_trial=use == row.first_month and bool(row.has_trial),
    )
    return charge_values(
        payer_person_id=row.person_id,
        person_id=row.person_id,
        source="subscription",
        source_id=row.id,
        family="subscription",
        month=use,
        due_month=due,
        label=labels.reduced(label, group_name(price.group_id), locale),
        unit="month",
        unit_cents=price.cents,
        amount_cents=price.cents,
        basis=row.basis,
        vat_rate_bp=row.vat_rate_bp,
    )


def _assigned(month: date, today: date) -> Iterator[dict[str, Any]]:
    """Assigned places: the first month with itself once it has begun, every other one a month ahead."""
    uses = [use for use in (month, month_after(month)) if use <= today]
    rows = db.session.scalars(
        select(Residency)
        .options(joinedload(Residency.person), joinedload(Residency.organisation))
        .where(
            PLACE_STANDS,
            Residency.monthly_cents > 0,
            Residency.first_day <= today,
            or_(Residency.last_day.is_(None), Residency.last_day >= month),
        )
        .order_by(Residency.id)
    )
    found = rows.unique().all()
    if not found:
        return
    charged = {
        (source_id, use)
        for source_id, use in db.session.execute(
            select(Charge.source_id, Charge.month).where(Charge.source == "place", Charge.month.in_(uses))
        )
    }
    for row in found:
        for use in uses:
            values = _assigned_values(row, use) if (row.id, use) not in charged else None
            if values is not None and values["amount_cents"]:
                yield values


def _assigned_values(row: Residency, use: date) -> dict[str, Any] | None:
    """The columns of the charge for the month ``use`` of an assigned place; None where it is not assigned then."""
    days = days_of(row.terms, use)
    if days is None:
        return None
    cents = month_cents(row.terms, use)
    places = [one for one in row.places if one.first_day <= days[1] and (one.last_day or days[1]) >= days[0]]
    return charge_values(
        payer_person_id=row.person_id,
        payer_organisation_id=row.organisation_id,
        person_id=row.person_id,
        source="place",
        source_id=row.id,
        family="subscription",
        month=use,
        due_month=use if use == month_of(row.first_day) else month_after(use, -1),
        label=labels.assigned(
            [one.resource.name for one in places],
            places[-1].resource.kind,
            *days,
            row.person.locale if row.person is not None else labels.OFFICE_LANGUAGE,
        ),
        unit="month",
        unit_cents=cents,
        amount_cents=cents,
        basis=row.basis,
        vat_rate_bp=row.vat_rate_bp,
    )


def _packs(first: date, last: date) -> Iterator[dict[str, Any]]:
    """Packs bought from ``first`` to ``last``."""
    rows = db.session.scalars(
        select(Pack)
        .options(joinedload(Pack.person), joinedload(Pack.price_group))
        .where(Pack.valid_from.between(first, last), Pack.cents > 0, _missing("pack", Pack.id))
        .order_by(Pack.id)
    )
    for row in rows.unique():
        yield _pack_values(row, month_of(row.valid_from))


def _pack_values(row: Pack, due: date) -> dict[str, Any]:
    """The columns of the charge for a pack."""
    return charge_values(
        payer_person_id=row.person_id,
        person_id=row.person_id,
        source="pack",
        source_id=row.id,
        family="pack",
        month=month_of(row.valid_from),
        due_month=due,
        day=row.valid_from,
        label=labels.reduced(
            labels.pack(row.name, row.unit, row.units, row.valid_until, row.person.locale),
            row.price_group.name if row.price_group is not None else None,
            row.person.locale,
        ),
        unit="piece",
        unit_cents=row.cents,
        amount_cents=row.cents,
        basis=row.basis,
        vat_rate_bp=row.vat_rate_bp,
    )


def _adhesions(month: date, vat: int | None) -> Iterator[dict[str, Any]]:
    """One written down after its first day is billed with the month it was written in.

    One from before its VAT was asked for takes the rate that the lieu has decided since, ``vat``, and waits until it has.
    """
    zone = spaces.lieu().tz
    first, last = month, month_end(month)
    starts, ends = local_day(first, zone).start, local_day(last, zone).end
    begins_now = and_(Adhesion.valid_from.between(first, last), Adhesion.created_at < ends)
    written_now = and_(Adhesion.valid_from < first, Adhesion.created_at >= starts, Adhesion.created_at < ends)
    found = db.session.execute(
        select(Adhesion, Person.locale)
        .join(Person, Person.id == Adhesion.person_id)
        .options(joinedload(Adhesion.price_group))
        .where(Adhesion.cents > 0, or_(begins_now, written_now), _missing("adhesion", Adhesion.id))
        .order_by(Adhesion.id)
    )
    for row, locale in found:
        rate = row.vat_rate_bp if row.vat_rate_bp is not None else vat
        if rate is not None:
            yield _adhesion_values(row, locale, month, rate)


def _adhesion_values(row: Adhesion, locale: str, month: date, vat_rate_bp: int) -> dict[str, Any]:
    """The columns of the charge for an adhesion."""
    return charge_values(
        payer_person_id=row.person_id,
        person_id=row.person_id,
        source="adhesion",
        source_id=row.id,
        family="adhesion",
        month=month,
        due_month=month,
        day=row.valid_from,
        label=labels.reduced(
            labels.adhesion(row.valid_from, row.valid_until, locale),
            row.price_group.name if row.price_group is not None else None,
            locale,
        ),
        unit="year",
        unit_cents=row.cents,
        amount_cents=row.cents,
        basis="ttc",
        vat_rate_bp=vat_rate_bp,
    )


def adhesions_without_vat() -> int:
    """How many adhesions wait to be charged until the lieu has decided how adhesions are taxed."""
    if adhesion_vat_now() is not None:
        return 0
    waiting = select(func.count(Adhesion.id)).where(
        Adhesion.cents > 0, Adhesion.vat_rate_bp.is_(None), _missing("adhesion", Adhesion.id)
    )
    return db.session.scalar(waiting) or 0


def charge_values(**values: Any) -> dict[str, Any]:
    """The columns of a new charge: ``values``, and what is usual for the others."""
    usual = {
        "public_id": public_id(),
        "payer_person_id": None,
        "payer_organisation_id": None,
        "quantity": 1,
        "day": None,
        "account": None,
        "created_at": now(),
        "created_by_id": None,
        "invoice_id": None,
    }
    return usual | values
