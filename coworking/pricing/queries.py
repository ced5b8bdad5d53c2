"""Reading tariffs and quotes."""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.page_versions import Keep, lieu_version
from coworking.pricing.models import Sale, Tariff, TariffPrice
from coworking.pricing.rules import KINDS, NO_PRICES, Prices, vat_rate
from coworking.spaces import queries as spaces


def tariff_on(day: date) -> Tariff | None:
    """The tariff that rules on ``day`` with its prices (2 statements); None before the first one."""
    return db.session.scalar(
        select(Tariff)
        .where(Tariff.valid_from <= day)
        .order_by(Tariff.valid_from.desc())
        .limit(1)
        .options(selectinload(Tariff.prices))
    )


_PRICES = (  # built once
    select(
        Tariff.id,
        Tariff.valid_from,
        Tariff.basis,
        Tariff.vat_rate_bp,
        TariffPrice.kind,
        TariffPrice.resource_id,
        TariffPrice.cents,
        TariffPrice.day_cents,
    )
    .outerjoin(TariffPrice, TariffPrice.tariff_id == Tariff.id)
    .order_by(Tariff.valid_from.desc())
)
_kept_prices = Keep[list[tuple[date, Prices]]](8)


def prices_on(day: date) -> Prices:
    """The prices that rule on ``day`` as plain values, with the VAT rate that applies at this lieu.

    They are kept under the lieu's version: no statement while nobody changes a tariff, 1 after that.
    """
    return next((prices for valid_from, prices in _every_price() if valid_from <= day), NO_PRICES)


def _every_price() -> list[tuple[date, Prices]]:
    version = lieu_version()
    every = _kept_prices.get(version) if version is not None else None
    if every is None:
        every = _all_prices()
        if version is not None:
            _kept_prices.put(version, every)
    return every


def has_had_day_rate() -> bool:
    """Whether any tariff of the lieu has a day rate; kept as `prices_on` is."""
    return any(prices.has_day_rate for _, prices in _every_price())


def _all_prices() -> list[tuple[date, Prices]]:
    """Of each tariff the first day and the prices, the latest first."""
    vat_status = spaces.lieu().vat_status
    found = []
    for _, group in groupby(db.session.execute(_PRICES).all(), key=attrgetter("id")):
        rows = list(group)
        prices = Prices(
            by_kind={row.kind: row.cents for row in rows if row.kind is not None and row.resource_id is None},
            by_resource={row.resource_id: row.cents for row in rows if row.resource_id is not None},
            basis="ht" if rows[0].basis == "ht" else "ttc",
            vat_rate_bp=vat_rate(rows[0].vat_rate_bp, vat_status),
            day_by_kind={
                row.kind: row.day_cents for row in rows if row.day_cents is not None and row.resource_id is None
            },
            day_by_resource={
                row.resource_id: row.day_cents
                for row in rows
                if row.day_cents is not None and row.resource_id is not None
            },
        )
        found.append((rows[0].valid_from, prices))
    return found


def tariffs() -> list[Tariff]:
    """Every tariff with its prices, the latest first (2 statements)."""
    return list(
        db.session.scalars(select(Tariff).order_by(Tariff.valid_from.desc()).options(selectinload(Tariff.prices)))
    )


def public_prices(day: date) -> Prices | None:
    """What the public page shows; None while nothing has a price."""
    prices = prices_on(day)
    shown = any(prices.by_kind.get(kind) for kind in KINDS) or any(prices.by_resource.values())
    return prices if shown else None


def sale(public_id: str) -> Sale:
    """One sale; raises `NotFound`."""
    found = db.session.scalar(select(Sale).where(Sale.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def sale_of(kind: str, subject_id: int) -> Sale | None:
    """The newest sale of a subject; None where it never had to be paid first."""
    return db.session.scalar(
        select(Sale).where(Sale.subject_kind == kind, Sale.subject_id == subject_id).order_by(Sale.id.desc()).limit(1)
    )


def sales_open_of(person_id: int, instant: datetime) -> list[Sale]:
    """What a person can still pay before it counts, the first to end first (1 statement)."""
    return list(
        db.session.scalars(
            select(Sale)
            .where(Sale.payer_person_id == person_id, Sale.state == "open", Sale.expires_at > instant)
            .order_by(Sale.expires_at, Sale.id)
        )
    )
