"""Charges a manager adds, removes or waives by hand. Managers only; each public function is one unit of work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select

from coworking.billing import payer_queries, queries, rules
from coworking.billing.charges import charge_values, check_manager, waiver_values
from coworking.billing.models import Charge
from coworking.core import audit
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.sql import insert_missing
from coworking.core.units import locked, write_unit
from coworking.membership.change_offers import not_to_take_back
from coworking.membership.changing import before_taking_back
from coworking.membership.models import Subscription
from coworking.spaces import queries as spaces


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
        person_id, organisation_id = payer_queries.payer_ids(payer)
        row = charge_values(
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


def to_change(public: str) -> Charge:
    """The charge under a lock, in the open unit; raises `NotFound`, `AlreadyInvoiced`."""
    row_id = queries.charge_by_public_id(public).id
    charge = db.session.scalars(locked(select(Charge).where(Charge.id == row_id))).one_or_none()
    if charge is None or charge.invoice_id is not None:
        raise rules.AlreadyInvoiced()
    return charge


def remove_line(actor: Actor, public: str) -> None:
    """Take away a line or a discount added by hand, until it is invoiced; audited.

    Raises `NotALine`, `AlreadyInvoiced`, `AlreadyWaived`.
    """
    check_manager(actor)
    with write_unit():
        charge = to_change(public)
        if charge.source not in ("line", "discount"):
            raise rules.NotALine()
        if waiver_of(charge) is not None:
            raise rules.AlreadyWaived()
        for discount in discounts_of(charge):
            remove(actor, discount)
        remove(actor, charge)


def remove(actor: Actor, charge: Charge) -> None:
    """Delete a charge made by hand, in the open unit, which holds its lock; audited."""
    audit.record(
        actor,
        "billing.discount_removed" if charge.source == "discount" else "billing.line_removed",
        ("charge", charge.id),
        person_id=charge.payer_person_id,
        cents=charge.amount_cents,
    )
    db.session.delete(charge)


def forget_subscription(taken: Subscription) -> None:
    """Delete what a subscription was charged, in the open unit, because it is taken back; raises `AlreadyInvoiced`."""
    charges = db.session.scalars(
        locked(select(Charge).where(Charge.source == "subscription", Charge.source_id == taken.id).order_by(Charge.id))
    ).all()
    if any(charge.invoice_id is not None for charge in charges):
        raise rules.AlreadyInvoiced()
    of_these = (Charge.source.in_(("waiver", "discount")), Charge.source_id.in_([charge.id for charge in charges]))
    for charge in (*db.session.scalars(locked(select(Charge).where(*of_these).order_by(Charge.id))), *charges):
        db.session.delete(charge)


before_taking_back.append(forget_subscription)


@not_to_take_back.append
def _invoiced(subscription_ids: Collection[int]) -> set[int]:
    """Those of ``subscription_ids`` that are invoiced: their people withdraw, or a manager corrects the invoice."""
    of_these = (Charge.source == "subscription", Charge.source_id.in_(subscription_ids))
    return set(db.session.scalars(select(Charge.source_id).where(*of_these, Charge.invoice_id.is_not(None))))


def waive(actor: Actor, public: str, reason: str) -> Charge:
    """Let a charge that is not invoiced yet come to nothing, by an entry that reverses it; audited with its reason.

    A discount that it had goes with it.
    """
    check_manager(actor)
    why = rules.check_reason(reason)
    with write_unit():
        charge = to_change(public)
        if charge.source in ("waiver", "discount") or waiver_of(charge) is not None:
            raise rules.AlreadyWaived()
        waiver = waive_in_unit(actor, charge)
        audit.record(
            actor,
            "billing.waived",
            ("charge", charge.id),
            person_id=charge.payer_person_id,
            cents=charge.amount_cents,
            reason=why,
        )
        return waiver


def waive_in_unit(actor: Actor, charge: Charge) -> Charge:
    """The entry that reverses a charge, in the open unit, which holds its lock; the caller says why in the audit trail."""
    for discount in discounts_of(charge):
        remove(actor, discount)
    waiver = Charge(**waiver_values(charge, actor.person_id))
    db.session.add(waiver)
    return waiver


def discounts_of(charge: Charge) -> Sequence[Charge]:
    """What stands beside a charge that reduces it, one at most (1 statement)."""
    return db.session.scalars(select(Charge).where(Charge.source == "discount", Charge.source_id == charge.id)).all()


def waiver_of(charge: Charge) -> int | None:
    """The id of the entry that reverses a charge, if there is one."""
    return db.session.scalar(select(Charge.id).where(Charge.source == "waiver", Charge.source_id == charge.id))
