"""Take a part off what somebody was charged, wherever it stands by now. Runs inside the caller's unit.

What is not invoiced yet is reduced, or waived when all of it goes. What is gets a credit note for that part of its line;
what had been paid of it is then refunded from the invoice, as ever.
"""

from __future__ import annotations

from sqlalchemy import select

from coworking.billing import discounts, manual_charges, queries, services
from coworking.billing.models import Charge, Invoice
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.keyring import SigningKey
from coworking.core.money import divide_half_up
from coworking.core.policy import Actor
from coworking.core.units import locked


def standing_of(charge: Charge) -> Charge:
    """The charge itself, or the one that bills it once more after its invoice was undone."""
    while True:
        again = select(Charge).where(Charge.source == "rebill", Charge.source_id == charge.id)
        if (following := db.session.scalars(again).one_or_none()) is None:
            return charge
        charge = following


def lock_standing(charge: Charge) -> Charge:
    """The same under its lock."""
    return db.session.scalars(locked(select(Charge).where(Charge.id == standing_of(charge).id))).one()


def invoice_of(charge: Charge) -> Invoice | None:
    """The invoice on which a charge stands, if it is on any."""
    return None if charge.invoice_id is None else db.session.get(Invoice, charge.invoice_id)


def let_off_of(charge: Charge) -> int:
    """How many cents of a charge are let off by discounts and waivers."""
    off = select(Charge.amount_cents).where(Charge.source.in_(("discount", "waiver")), Charge.source_id == charge.id)
    return -sum(db.session.scalars(off))


def take_off(actor: Actor, key: SigningKey, charge: Charge, cents: int, why: str) -> Invoice | None:
    """Let ``cents`` of a charge, which is locked, be owed no longer; the credit note where it was invoiced.

    Raises what a credit note refuses.
    """
    if charge.invoice_id is None:
        if manual_charges.waiver_of(charge) is None:
            discounts.reduce_further_in_unit(actor, charge, cents, why)
        return None
    invoice = services.invoice_locked(db.session.get_one(Invoice, charge.invoice_id).public_id)
    place, part = place_on(invoice, charge, cents)
    return services.credit_in_unit(actor, key, invoice, why, taken={place: part})


def place_on(invoice: Invoice, charge: Charge, cents: int) -> tuple[int, int]:
    """The place of the charge's line on ``invoice``, and ``cents`` of the charge in the document's basis."""
    content = queries.content(invoice)
    for place, line in enumerate(content["lines"]):
        if (line["family"], line["label"]) == (charge.family, charge.label) and line["amount_cents"] > 0:
            if content["basis"] == charge.basis:
                return place, cents
            return place, divide_half_up(line["amount_cents"] * cents, charge.amount_cents * line["quantity"])
    raise NotFound()
