"""A lieu where a plan and the adhesion are paid before they begin, and what becomes of what was asked for."""

from __future__ import annotations

from sqlalchemy import select

from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import MembershipSettings
from coworking.pricing import sales
from coworking.pricing.models import Sale
from coworking.spaces.calendar import lock_lieu


def ask_first(adhesion_cents: int = 2000) -> None:
    """Inside an application context: plans and adhesions are paid first."""
    with write_unit():
        lock_lieu().pay_first_membership = True
        row = db.session.get(MembershipSettings, 1)
        if row is None:
            row = MembershipSettings(id=1, adhesion_vat="out_of_scope")
            db.session.add(row)
        row.adhesion_cents = adhesion_cents


def sale_now(public_id: str) -> Sale:
    db.session.rollback()
    return db.session.scalars(select(Sale).where(Sale.public_id == public_id)).one()


def pay(public_id: str) -> bool:
    """What whoever takes the money does when it comes."""
    with write_unit():
        return sales.pay(sales.lock(public_id))


def expire(public_id: str) -> None:
    with write_unit():
        sales.expire(sales.lock(public_id))
