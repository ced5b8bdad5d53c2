"""Reading tariffs and quotes."""

from __future__ import annotations

from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.orm import selectinload

from coworking.core.db import db
from coworking.pricing.models import Tariff, TariffPrice
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


_LATEST = select(Tariff.id).where(Tariff.valid_from <= bindparam("day")).order_by(Tariff.valid_from.desc()).limit(1)
_PRICES = (  # built once: every booking asks it
    select(Tariff.basis, Tariff.vat_rate_bp, TariffPrice.kind, TariffPrice.resource_id, TariffPrice.cents)
    .outerjoin(TariffPrice, TariffPrice.tariff_id == Tariff.id)
    .where(Tariff.id == _LATEST.scalar_subquery())
)


def prices_on(day: date) -> Prices:
    """The prices that rule on ``day`` as plain values, with the VAT rate that applies at this lieu (1 statement)."""
    rows = db.session.execute(_PRICES, {"day": day}).all()
    if not rows:
        return NO_PRICES
    return Prices(
        by_kind={kind: cents for _, _, kind, resource, cents in rows if kind is not None and resource is None},
        by_resource={resource: cents for _, _, _, resource, cents in rows if resource is not None},
        basis="ht" if rows[0].basis == "ht" else "ttc",
        vat_rate_bp=vat_rate(rows[0].vat_rate_bp, spaces.lieu().vat_status),
    )


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
