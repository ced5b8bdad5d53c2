"""Setting prices: a new tariff from a day on; those that have applied stay as they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select

from coworking.core import audit
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.units import locked, write_unit
from coworking.pricing.models import Tariff, TariffPrice
from coworking.pricing.rules import Basis, DayPriceOfDesks, TariffInPast, check_day_price, unit_of
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, Resource


def set_tariff(
    actor: Actor,
    *,
    valid_from: date,
    basis: Basis,
    vat_rate_bp: int,
    by_kind: Mapping[str, int],
    by_resource: Mapping[str, int],
    day_by_kind: Mapping[str, int] | None = None,
    day_by_resource: Mapping[str, int] | None = None,
) -> Tariff:
    """Let these prices rule from ``valid_from`` (today at the earliest) until the next tariff; cents per unit.

    ``by_resource`` by public id. ``day_by_kind`` and ``day_by_resource``: a whole day at a desk, where it costs less than
    two half-days. A tariff of the same day is replaced. Bookings made before keep what they were quoted. Managers only;
    raises `TariffInPast`, `DayPriceInvalid`, `DayPriceOfDesks`, or `NotFound` for an unknown resource.
    """
    _check_manager(actor)
    days, own_days = day_by_kind or {}, day_by_resource or {}
    if days.keys() - {DESK}:
        raise DayPriceOfDesks()
    for key, day_cents in days.items():
        check_day_price(day_cents, by_kind.get(key, 0))
    for key, day_cents in own_days.items():
        check_day_price(day_cents, by_resource.get(key, 0))
    with write_unit() as unit:
        check_begins(valid_from)
        rows = {
            row.public_id: row
            for row in db.session.scalars(select(Resource).where(Resource.public_id.in_(by_resource)))
        }
        if set(by_resource) - set(rows):
            raise NotFound()
        if any(rows[key].kind != DESK for key in own_days):
            raise DayPriceOfDesks()
        tariff = db.session.scalar(locked(select(Tariff).where(Tariff.valid_from == valid_from)))
        if tariff is None:
            tariff = Tariff(valid_from=valid_from)
            db.session.add(tariff)
        tariff.basis, tariff.vat_rate_bp = basis, vat_rate_bp
        tariff.prices.clear()
        db.session.flush()  # the old prices go before the new ones take their places
        tariff.prices = [
            TariffPrice(kind=kind, unit=unit_of(kind), cents=cents, day_cents=days.get(kind))
            for kind, cents in by_kind.items()
        ] + [
            TariffPrice(
                kind=rows[key].kind,
                unit=unit_of(rows[key].kind),
                resource_id=rows[key].id,
                cents=cents,
                day_cents=own_days.get(key),
            )
            for key, cents in by_resource.items()
        ]
        db.session.flush()
        audit.record(actor, "tariff.set", ("tariff", tariff.id), valid_from=valid_from.isoformat())
        unit.result = tariff.public_id
    return tariff


def check_begins(valid_from: date) -> None:
    """Raise `TariffInPast` where prices from ``valid_from`` on would change what has applied."""
    if valid_from < spaces.today():
        raise TariffInPast()


def remove_tariff(actor: Actor, public_id: str) -> None:
    """Drop a tariff that has not begun; raises `TariffInPast` for any other."""
    _check_manager(actor)
    with write_unit():
        tariff = db.session.scalar(locked(select(Tariff).where(Tariff.public_id == public_id)))
        if tariff is None:
            raise NotFound()
        if tariff.valid_from <= spaces.today():
            raise TariffInPast()
        audit.record(actor, "tariff.removed", ("tariff", tariff.id), valid_from=tariff.valid_from.isoformat())
        db.session.delete(tariff)


def _check_manager(actor: Actor) -> None:
    if not actor.has(Role.MANAGER):
        raise Forbidden()
