"""Discounts on what is not invoiced yet. Managers only; each public function is one unit of work.

A discount is a charge of its own, negative, beside the one it reduces (``source_id``), and goes on the same invoice with its
reason. There is one per charge: who changes their mind takes it back first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, select

from coworking.billing import discount_rules, labels, manual_charges, payer_queries, queries, rules
from coworking.billing.charges import charge_values, check_manager
from coworking.billing.models import Charge
from coworking.core import audit
from coworking.core.db import db
from coworking.core.money import Cents
from coworking.core.policy import Actor
from coworking.core.sql import insert_missing
from coworking.core.units import locked, write_unit


def reduce(actor: Actor, public: str, cents: int, reason: str) -> int:
    """Take ``cents`` off one charge, all of it by a waiver; audited with its reason. How much came off.

    Raises `AlreadyInvoiced`, `AlreadyWaived`, `AlreadyDiscounted`, `DiscountNothing`, `DiscountTooMuch`, `ReasonMissing`.
    """
    whole = queries.charge_by_public_id(public).amount_cents
    if cents == whole:
        return -manual_charges.waive(actor, public, reason).amount_cents
    check_manager(actor)
    why = _printed(reason)
    with write_unit():
        charge = manual_charges.to_change(public)
        if cents <= 0:
            raise discount_rules.DiscountNothing()
        if cents > charge.amount_cents:
            raise discount_rules.DiscountTooMuch(most=Cents(charge.amount_cents))
        if charge.source == "discount" or manual_charges.waiver_of(charge) is not None:
            raise rules.AlreadyWaived()
        if not _reduce(actor, [charge], [cents], why):
            raise discount_rules.AlreadyDiscounted()
    return cents


def reduce_further_in_unit(actor: Actor, charge: Charge, cents: int, reason: str) -> None:
    """Take ``cents`` more off one charge in the open unit, which holds its lock; what is left of it by a waiver. Audited.

    What reduced it before and what reduces it now are one discount then, which prints the new ``reason``.
    """
    for standing in manual_charges.discounts_of(charge):
        cents -= standing.amount_cents
        manual_charges.remove(actor, standing)
    db.session.flush()
    if cents == charge.amount_cents:
        manual_charges.waive_in_unit(actor, charge)
    else:
        _reduce(actor, [charge], [cents], _printed(reason))


def reduce_all(
    actor: Actor, payer: str, month: date, reason: str, *, percent_bp: int | None = None, cents: int | None = None
) -> int:
    """Take a percentage or an amount off everything that ``payer`` owes by ``month``; how many cents came off.

    What was reduced already stays as it is, so that the same form sent twice takes off nothing more. An amount is in the
    basis of the prices, with VAT or without. Raises `NothingToDiscount`, `DiscountBasesDiffer` and what the rules refuse.
    """
    check_manager(actor)
    why = _printed(reason)
    if (percent_bp is None) == (cents is None):
        raise discount_rules.PercentOrAmount()
    with write_unit():
        mine = queries.charged_to(payer_queries.payer_ids(payer))
        charges = _locked(month, mine, Charge.amount_cents > 0, ~queries.discounted())
        if not charges:
            raise discount_rules.NothingToDiscount()
        amounts = [charge.amount_cents for charge in charges]
        if percent_bp is not None:
            shares = discount_rules.percent_off(amounts, percent_bp)
        else:
            if len({charge.basis for charge in charges if charge.vat_rate_bp}) > 1:
                raise discount_rules.DiscountBasesDiffer()
            shares = discount_rules.amount_off(amounts, cents or 0)
        _reduce(actor, charges, shares, why)
    return sum(shares)


def take_back(actor: Actor, payer: str, month: date) -> int:
    """Take away every discount on what ``payer`` owes by ``month`` and was not invoiced; how many there were. Audited."""
    check_manager(actor)
    with write_unit():
        mine = queries.charged_to(payer_queries.payer_ids(payer))
        found = _locked(month, mine, Charge.source == "discount")
        for discount in found:
            manual_charges.remove(actor, discount)
    return len(found)


def _printed(reason: str) -> str:
    return rules.check_reason(reason, most=discount_rules.MAX_PRINTED_REASON)


def _locked(month: date, *conditions: ColumnElement[bool]) -> list[Charge]:
    """What is billable, behind its locks: a run that bills it either came first or will see what is written here."""
    ids = [charge.id for charge in queries.charges_due(month, *conditions)]
    db.session.scalars(locked(select(Charge).where(Charge.id.in_(ids)).order_by(Charge.id))).all()
    return queries.charges_due(month, Charge.id.in_(ids), *conditions)


def _reduce(actor: Actor, charges: Sequence[Charge], shares: Sequence[int], reason: str) -> int:
    """How many of ``charges``, whose locks are held, were reduced by their share: those that were not before."""
    rows = [
        charge_values(
            payer_person_id=charge.payer_person_id,
            payer_organisation_id=charge.payer_organisation_id,
            person_id=charge.person_id,
            source="discount",
            source_id=charge.id,
            family=charge.family,
            month=charge.month,
            due_month=charge.due_month,
            label=labels.discount(charge.label, reason, _language(charge)),
            unit="piece",
            unit_cents=share,
            amount_cents=-share,
            basis=charge.basis,
            vat_rate_bp=charge.vat_rate_bp,
            account=charge.account,
            created_by_id=actor.person_id,
        )
        for charge, share in zip(charges, shares, strict=True)
        if share
    ]
    added = insert_missing(Charge, rows)
    if added:
        audit.record(
            actor,
            "billing.discounted",
            ("charge", charges[0].id),
            person_id=charges[0].payer_person_id,
            cents=sum(shares),
            count=added,
            reason=reason,
        )
    return added


def _language(charge: Charge) -> str:
    return labels.OFFICE_LANGUAGE if charge.payer_person is None else charge.payer_person.locale
