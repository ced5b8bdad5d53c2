"""Reading what was sold at the door, and what can be sold now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased, joinedload

from coworking.accounts.models import Person
from coworking.billing import given_up, labels, queries
from coworking.billing.door_models import Deposit, DepositReturn, DoorReceipt, DoorSale
from coworking.billing.door_rules import NotOffered, SoldLine
from coworking.billing.line_rules import ChargedItem
from coworking.billing.models import Charge, Invoice
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.queries import priced_by
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_of
from coworking.pricing import article_queries
from coworking.pricing.article_rules import applied_rate
from coworking.pricing.models import Article, Quote
from coworking.pricing.queries import prices_on
from coworking.pricing.rules import room_amount
from coworking.spaces import queries as spaces

_undoing = aliased(DoorSale)


# What can be sold -----------------------------------------------------------------------------------------------------


def offered(person: Person | None) -> list[SoldLine]:
    """One of each thing that can be sold to ``person``, or to nobody: what they owe for today first, rooms last.

    Nobody is sold a half-day or an hour of a room by the tariff; for a person those are what they use today.
    """
    today = spaces.today()
    if person is not None:
        return [*owed_today(person), *_articles(today)]
    places = _by_tariff(today)
    half_day = [line for line in places if line.item.family == "desk"]
    return [*half_day, *_articles(today), *(line for line in places if line not in half_day)]


def lines(wanted: Mapping[str, int], person: Person | None) -> list[SoldLine]:
    """The lines of so many of each; raises `NotOffered` where one is not offered by now."""
    found = {line.key: line for line in offered(person)}
    if missing := wanted.keys() - found.keys():
        raise NotOffered(extra={"missing": sorted(missing)})
    return [times(found[key], count) for key, count in wanted.items()]


def times(line: SoldLine, count: int) -> SoldLine:
    """``line`` so many times; what is owed for one use is never owed twice."""
    if count == 1:
        return line
    if line.quote_id is not None or line.charge_id is not None:
        raise NotOffered()
    item = line.item
    more = ChargedItem(
        family=item.family,
        label=item.label,
        quantity=item.quantity * count,
        unit=item.unit,
        unit_cents=item.unit_cents,
        amount_cents=item.amount_cents * count,
        basis=item.basis,
        vat_rate_bp=item.vat_rate_bp,
        month=item.month,
        day=item.day,
        who=item.who,
        account=item.account,
    )
    return SoldLine(line.key, more, line.is_deposit)


def _by_tariff(today: date) -> list[SoldLine]:
    prices, found = prices_on(today), list[SoldLine]()
    common: dict[str, Any] = {"basis": prices.basis, "vat_rate_bp": prices.vat_rate_bp, "month": month_of(today)}
    if cents := prices.by_kind.get("desk", 0):
        item = ChargedItem("desk", labels.half_day(labels.OFFICE_LANGUAGE), 1, "half_day", cents, cents, **common)
        found.append(SoldLine("h", item))
    for room in spaces.resources(day=today):
        if room.kind == "room" and (cents := prices.price_of("room", room.id)):
            label = labels.by_the_hour(room.kind, room.name, labels.OFFICE_LANGUAGE)
            item = ChargedItem("room", label, 60, "hour", cents, room_amount(cents, 60), **common)
            found.append(SoldLine(f"r:{room.public_id}", item))
    return found


def _articles(today: date) -> list[SoldLine]:
    status = spaces.lieu().vat_status
    return [line for article in article_queries.articles() if (line := _article(article, today, status)) is not None]


def _article(article: Article, today: date, vat_status: str) -> SoldLine | None:
    price = article.price_on(today)
    if price is None:
        return None
    item = ChargedItem(
        family="other",
        label=article.label,
        quantity=1,
        unit="piece",
        unit_cents=price.cents,
        amount_cents=price.cents,
        basis="ttc",
        vat_rate_bp=applied_rate(article.kind, price.vat_rate_bp, vat_status),
        month=month_of(today),
        account=price.account,
    )
    return SoldLine(f"a:{article.public_id}", item, is_deposit=article.kind == "deposit")


def quotes_owed_today(person: Person) -> list[Quote]:
    """What ``person`` uses today, pays for themself, and was not charged for."""
    return list(
        db.session.scalars(
            select(Quote)
            .where(
                Quote.day == spaces.today(),
                Quote.payer_person_id == person.id,
                Quote.state.in_(("live", "kept")),
                Quote.amount_cents > 0,
                ~given_up.is_charged(),
            )
            .options(joinedload(Quote.resource), joinedload(Quote.person), joinedload(Quote.price_group))
            .order_by(Quote.starts_at, Quote.id)
        ).unique()
    )


def owed_today(person: Person) -> list[SoldLine]:
    """What ``person`` owes for today, as lines: what they use, and what was charged for today and not invoiced.

    What was reduced by hand waits for its invoice, on which the discount stands beside it.
    """
    used = [
        SoldLine(f"q:{quote.public_id}", _item_of_quote(quote, person.locale), quote_id=quote.id)
        for quote in quotes_owed_today(person)
    ]
    charges = queries.charges_due(
        month_of(spaces.today()),
        Charge.payer_person_id == person.id,
        Charge.day == spaces.today(),
        ~queries.discounted(),
        ~given_up.is_given_up(),
    )
    return used + [
        SoldLine(f"c:{charge.public_id}", _item_of_charge(charge), charge_id=charge.id) for charge in charges
    ]


def _item_of_quote(quote: Quote, locale: str) -> ChargedItem:
    quantity, unit, unit_cents = quote.billed
    return ChargedItem(
        family="desk" if quote.unit == "half_day" else "room",
        label=labels.of_quote(quote, locale),
        quantity=quantity,
        unit=unit,
        unit_cents=unit_cents,
        amount_cents=quote.amount_cents,
        basis="ht" if quote.basis == "ht" else "ttc",
        vat_rate_bp=quote.vat_rate_bp,
        month=month_of(quote.day),
        day=quote.day,
    )


def _item_of_charge(charge: Charge) -> ChargedItem:
    return ChargedItem(
        family=charge.family,
        label=charge.label,
        quantity=charge.quantity,
        unit=charge.unit,
        unit_cents=charge.unit_cents,
        amount_cents=charge.amount_cents,
        basis="ht" if charge.basis == "ht" else "ttc",
        vat_rate_bp=charge.vat_rate_bp,
        month=charge.month,
        day=charge.day,
        account=charge.account,
    )


# What was sold --------------------------------------------------------------------------------------------------------


_LOADED = (
    joinedload(DoorSale.person),
    joinedload(DoorSale.created_by),
    joinedload(DoorSale.invoice),
    joinedload(DoorSale.receipt),
)


def sale(public_id: str) -> DoorSale:
    """One sale or undoing; raises `NotFound`."""
    found = db.session.scalars(select(DoorSale).where(DoorSale.public_id == public_id).options(*_LOADED)).unique()
    if (row := found.one_or_none()) is None:
        raise NotFound()
    return row


def sale_by_nonce(nonce: int) -> DoorSale | None:
    """What the form named ``nonce`` sold."""
    return db.session.scalars(select(DoorSale).where(DoorSale.nonce == nonce).options(*_LOADED)).unique().one_or_none()


def undoing_of(row: DoorSale) -> DoorSale | None:
    """The counter-sale of ``row``."""
    return db.session.scalars(select(DoorSale).where(DoorSale.cancels_id == row.id).options(*_LOADED)).unique().first()


def is_of_a_sale(document: Invoice) -> bool:
    """Whether an invoice or credit note was made by a sale at the door or its undoing."""
    return db.session.scalar(select(DoorSale.id).where(DoorSale.invoice_id == document.id).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class SoldAtDoor:
    """A sale of a day, and whether it was cancelled."""

    sale: DoorSale
    is_cancelled: bool


def sales_on(day: date) -> list[SoldAtDoor]:
    """What was sold and undone on ``day``, the newest first (1 statement)."""
    cancelled = select(_undoing.id).where(_undoing.cancels_id == DoorSale.id).exists()
    rows = db.session.execute(
        select(DoorSale, cancelled).where(DoorSale.sold_on == day).options(*_LOADED).order_by(DoorSale.id.desc())
    ).unique()
    return [SoldAtDoor(row, bool(gone)) for row, gone in rows]


def sale_of_walk_in(person_id: int, day: date) -> DoorSale | None:
    """The sale that a person's use of ``day`` without a booking was paid with, unless it was cancelled (1 statement)."""
    return _sale_of(DoorSale.person_id == person_id, BookingUnit.day == day, Booking.source == "walkin")


def sale_of_booking(booking_id: int) -> DoorSale | None:
    """The sale that a booking was paid with at the door, in part or whole, unless it was cancelled (1 statement)."""
    return _sale_of(Booking.id == booking_id)


def _sale_of(*conditions: ColumnElement[bool]) -> DoorSale | None:
    cancelled = select(_undoing.id).where(_undoing.cancels_id == DoorSale.id).exists()
    return db.session.scalars(
        select(DoorSale)
        .join(Charge, Charge.invoice_id == DoorSale.invoice_id)
        .join(BookingUnit, priced_by(func.coalesce(given_up.taken_back(Charge), Charge.source_id)))
        .join(Booking, (Booking.id == BookingUnit.booking_id) & (Booking.person_id == Charge.payer_person_id))
        .where(DoorSale.cancels_id.is_(None), ~cancelled, Charge.source == "quote", *conditions)
        .order_by(DoorSale.id.desc())
    ).first()


def receipt(public_id: str) -> DoorReceipt:
    """One receipt; raises `NotFound`."""
    found = db.session.scalar(select(DoorReceipt).where(DoorReceipt.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def receipt_content(row: DoorReceipt) -> dict[str, Any]:
    """The content of a receipt (see `billing.door_rules`)."""
    return json.loads(row.payload)


def _held() -> ColumnElement[bool]:
    return ~select(DepositReturn.id).where(DepositReturn.deposit_id == Deposit.id).exists()


def deposits_held() -> list[Deposit]:
    """The deposits that are to be given back some day, the oldest first (1 statement)."""
    return list(
        db.session.scalars(
            select(Deposit)
            .where(_held())
            .options(joinedload(Deposit.person), joinedload(Deposit.receipt))
            .order_by(Deposit.id)
        ).unique()
    )


def deposits_returned(most: int) -> list[DepositReturn]:
    """The last ``most`` that were given back, the newest first; not those whose sale was undone."""
    return list(
        db.session.scalars(
            select(DepositReturn)
            .where(DepositReturn.receipt_id.is_(None))
            .options(
                joinedload(DepositReturn.created_by),
                joinedload(DepositReturn.deposit).options(joinedload(Deposit.person)),
            )
            .order_by(DepositReturn.id.desc())
            .limit(most)
        ).unique()
    )
